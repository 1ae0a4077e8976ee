"""rensa: R-MinHash of every token through the streaming deduplicator, its fastest whole-set way.

The deduplicator answers keep or drop; each dropped article is then asked what it duplicates.
"""

from clusters import BANDS, N_SLOTS, THRESHOLD, clusters_of_lists, shingles, started, texts, write
from rensa import RMinHashDeduplicator

started()
articles = texts()
dedup = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=N_SLOTS, use_lsh=True, num_bands=BANDS)
kept = dedup.add_pairs((str(i), shingles(text)) for i, text in enumerate(articles))
dropped = [i for i, is_kept in enumerate(kept) if not is_kept]
found = dedup.get_duplicate_sets([shingles(articles[i]) for i in dropped])
lists = [(i, [int(key) for key in keys]) for i, keys in zip(dropped, found, strict=True)]
write(clusters_of_lists(len(articles), lists))
