"""datasketch: MinHash.bulk with xxhash, MinHashLSH, candidates by estimated Jaccard."""

import xxhash
from clusters import (
    BANDS,
    N_SLOTS,
    ROWS,
    THRESHOLD,
    clusters_of_lists,
    shingles,
    started,
    texts,
    write,
)
from datasketch import MinHash, MinHashLSH

started()
articles = texts()
sets = ([shingle.encode() for shingle in shingles(text)] for text in articles)
sketches = MinHash.bulk(sets, num_perm=N_SLOTS, hashfunc=xxhash.xxh32_intdigest)
index = MinHashLSH(num_perm=N_SLOTS, params=(BANDS, ROWS))
for i, sketch in enumerate(sketches):
    index.insert(i, sketch)
lists = [
    (i, [j for j in index.query(one) if j < i and one.jaccard(sketches[j]) >= THRESHOLD])
    for i, one in enumerate(sketches)
]
write(clusters_of_lists(len(articles), lists))
