"""text-dedup: its minhash command with verification on, two processes, every row kept."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from clusters import BANDS, N_SLOTS, ROWS, SHINGLE_WORDS, SOURCE, THRESHOLD, started, write
from datasets import load_from_disk
from text_dedup.config.base import load_config_from_toml
from text_dedup.minhash import main
from text_dedup.utils.progress import use_custom_progress_bar

CONFIG = """
[input]
input_type = "local_files"
file_type = "parquet"
[input.read_arguments]
path = "parquet"
data_files = "{source}"
split = "train"
cache_dir = "{folder}/cache"
[algorithm]
algorithm_name = "minhash"
text_column = "text"
num_perm = {slots}
bands = {bands}
rows = {rows}
ngram_size = {words}
min_length = 1
threshold = {threshold}
check_false_positive = true
num_proc = 2
[output]
output_dir = "{folder}/out"
skip_filtering = true
keep_index_column = true
keep_cluster_column = true
[debug]
logging_level = 40
"""

if __name__ == "__main__":
    started()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings.toml"
        settings.write_text(
            CONFIG.format(
                source=SOURCE,
                folder=folder,
                slots=N_SLOTS,
                bands=BANDS,
                rows=ROWS,
                words=SHINGLE_WORDS,
                threshold=THRESHOLD,
            )
        )
        with use_custom_progress_bar():
            main(load_config_from_toml(settings))
        rows = load_from_disk(f"{folder}/out").select_columns(["__INDEX__", "__CLUSTER__"])
        table = rows.with_format("arrow")[:]
    labels = -1 - np.arange(pq.ParquetFile(SOURCE).metadata.num_rows)
    labels[table["__INDEX__"].to_numpy()] = table["__CLUSTER__"].to_numpy()
    write(labels)
