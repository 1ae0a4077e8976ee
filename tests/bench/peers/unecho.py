"""unecho: word 3-grams, 32 x 4 bands, every edge verified by exact Jaccard."""

from __future__ import annotations

import sys

import pyarrow.parquet as pq

from pipeline.dedup.batch import BatchRules, cluster_articles

source, target, threshold = sys.argv[1], sys.argv[2], float(sys.argv[3])
rules = BatchRules(min_jaccard=threshold)
clusters = cluster_articles(lambda: pq.ParquetFile(source).iter_batches(4096), rules)
pq.write_table(clusters, target)
