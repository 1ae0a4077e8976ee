"""unecho: word 3-grams, 32 x 4 bands, every edge verified by exact Jaccard."""

from __future__ import annotations

import atexit
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as our command line does, before numpy

import pyarrow.parquet as pq

from pipeline.dedup.batch import BatchRules, cluster_articles, load_kernels

source, target, threshold = sys.argv[1], sys.argv[2], float(sys.argv[3])
metadata = pq.read_metadata(source)
load_kernels(metadata.num_rows)
Path(f"{target}.start").write_text(str(time.process_time()))
groups = map(metadata.row_group, range(metadata.num_row_groups))
n_bytes = sum(group.column(1).total_uncompressed_size for group in groups)  # of the texts
kept = BatchRules.kept_text_bytes
rules = BatchRules(min_jaccard=threshold, kept_text_bytes=kept if n_bytes <= kept else 0)


def read():
    file = pq.ParquetFile(source, buffer_size=1 << 20, pre_buffer=False)
    return file.iter_batches(4096, use_threads=False)


clusters = cluster_articles(read, rules)
pq.write_table(clusters, target)
atexit._run_exitfuncs()
os._exit(0)  # as our command line does, and the peers in `clusters.leave`
