"""datatrove: its MinHash stages run in one process, words at spaces; it never verifies.

Its own tokenisers need spaCy and take most of the time (86 % measured); words split at spaces are
the same words, so it is given the faster way.
"""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from clusters import BANDS, ROWS, SHINGLE_WORDS, SOURCE, started, write
from datatrove.pipeline.dedup import minhash
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.utils.hashing import HashConfig


class Spaces:
    word_tokenize = staticmethod(str.split)


minhash.load_word_tokenizer = lambda language: Spaces()
started()
config = MinhashConfig(
    n_grams=SHINGLE_WORDS,
    num_buckets=BANDS,
    hashes_per_bucket=ROWS,
    hash_config=HashConfig(precision=32, hash_fc="xxhash"),
)
with tempfile.TemporaryDirectory() as scratch:
    folder = Path(scratch)
    source = Path(SOURCE)
    reader = ParquetReader(
        str(source.parent), glob_pattern=source.name, text_key="text", id_key="article_id"
    )
    signatures = MinhashDedupSignature(str(folder / "signatures"), config=config)
    signatures.run(reader.run(), 0, 1)
    buckets = MinhashDedupBuckets(str(folder / "signatures"), str(folder / "pairs"), config=config)
    for bucket in range(BANDS):
        buckets.run(None, bucket, BANDS)
    cluster = MinhashDedupCluster(
        str(folder / "pairs"), str(folder / "clusters"), config=config, save_cluster_id=True
    )
    cluster.run(None, 0, 1)
    named = folder / "clusters" / "000000.clusters"
    rows = np.fromfile(named, "<u4").reshape(-1, 2) if named.exists() else np.empty((0, 2), int)
labels = -1 - np.arange(pq.ParquetFile(SOURCE).metadata.num_rows)
labels[rows[:, 0]] = rows[:, 1]
write(labels)
