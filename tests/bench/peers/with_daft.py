"""daft: its minhash over word 3-grams, then bands, estimated Jaccard and components in numpy."""

import daft
import numpy as np
from clusters import N_SLOTS, SHINGLE_WORDS, SOURCE, clusters_of_signatures, started, write
from daft.functions import minhash

started()
frame = daft.read_parquet(SOURCE).select(
    minhash(
        daft.col("text"),
        num_hashes=N_SLOTS,
        ngram_size=SHINGLE_WORDS,
        hash_function="xxhash",
    ).alias("signature")
)
signatures = frame.to_arrow()["signature"].combine_chunks()
write(clusters_of_signatures(np.asarray(signatures.flatten()).reshape(-1, N_SLOTS)))
