"""rensa: R-MinHash of every token and its LSH index; candidates by estimated Jaccard."""

from clusters import BANDS, N_SLOTS, THRESHOLD, clusters_of_lists, shingles, started, texts, write
from rensa import RMinHash, RMinHashLSH

started()
articles = texts()
sketches = RMinHash.from_token_sets(
    (shingles(text) for text in articles), num_perm=N_SLOTS, seed=42
)
index = RMinHashLSH(threshold=THRESHOLD, num_perm=N_SLOTS, num_bands=BANDS)
index.insert_many(sketches)
lists = [
    (i, [j for j in found if j < i and sketches[i].jaccard(sketches[j]) >= THRESHOLD])
    for i, found in enumerate(index.query_all(sketches))
]
write(clusters_of_lists(len(articles), lists))
