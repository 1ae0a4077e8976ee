"""gaoya: its string index with the word 3-gram analyser in Rust; insert all, query all."""

from clusters import BANDS, ROWS, SHINGLE_WORDS, THRESHOLD, clusters_of_lists, started, texts, write
from gaoya.minhash import MinHashStringIndex

started()
articles = texts()
index = MinHashStringIndex(
    hash_size=32,
    jaccard_threshold=THRESHOLD,
    num_bands=BANDS,
    band_size=ROWS,
    analyzer="word",
    lowercase=False,
    ngram_range=(SHINGLE_WORDS, SHINGLE_WORDS),
    id_container="smallvec",
)
index.par_bulk_insert_docs(list(range(len(articles))), articles)
write(clusters_of_lists(len(articles), list(enumerate(index.par_bulk_query(articles)))))
