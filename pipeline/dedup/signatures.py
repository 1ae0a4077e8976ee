"""MinHash signatures and band bucket keys of a batch, bit for bit those of datasketch.

datasketch defines, arrays execute: the permutations are drawn as `datasketch.MinHash` draws them
and applied to a batch at a time, by numpy or by the compiled engine (`tests/reference` holds all
three equal).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contracts import TIME, conform
from pipeline.interim import ARTICLE_HASHES, HASHES, KEYS
from pipeline.text.digests import short_digests
from pipeline.text.engine import use_compiled
from pipeline.text.mixing import mix32, mix64
from pipeline.text.normalise import NORMALISER_VERSION, key_array, key_hashes
from pipeline.text.number_batches import numbers_array
from pipeline.text.shingles import (
    HASH_NAME,
    SHA1,
    STORY,
    Offsets,
    ShingleProfile,
    hash_shingle,
    sha1_sets,
    sha1_shingle,
    shingle_sets,
    window_tables,
)
from pipeline.text.titles import title_columns
from pipeline.text.utf8 import Utf8, blocks_of, whole

if TYPE_CHECKING:
    from datasketch import MinHash

SCHEME = "affine32"

_N_SIGNATURE_BYTES = 512
_N_BAND_BYTES = 256


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a signature; signatures of two recipes never meet."""

    num_perm: int = 128
    seed: int = 1
    bands: int = 32
    rows: int = 4
    profile: ShingleProfile = STORY
    min_shingles: int = 50
    """Smaller sets are not signed: the estimate is too coarse, exact sets compare them."""
    hash_name: str = HASH_NAME
    """How shingles are hashed; `sha1` signs as a plain `MinHash()` does, for those who have stored
    such signatures. Neither engine has arrays for it: 1.5 ms an article of 1,500 characters."""

    def __post_init__(self) -> None:
        if self.num_perm * 4 != _N_SIGNATURE_BYTES or self.bands * 8 != _N_BAND_BYTES:
            raise ValueError("KEYS holds 128 permutations and 32 bands; change the contract first")
        if self.bands * self.rows > self.num_perm:
            raise ValueError(f"{self.bands} bands of {self.rows} rows need more than 128 slots")
        if self.hash_name not in (HASH_NAME, SHA1):
            raise ValueError(f"{self.hash_name!r} hashes no shingles; use {HASH_NAME} or {SHA1}")

    @property
    def params_id(self) -> str:
        """Return the name of the recipe, equal exactly when signatures may be compared."""
        windows = "-".join(str(int(n)) for n in self.profile.window_lengths()[3:])
        return (
            f"{NORMALISER_VERSION}/{self.profile.name}-{windows}/{self.hash_name}/{SCHEME}"
            f"/p{self.num_perm}/s{self.seed}/{self.bands}x{self.rows}/min{self.min_shingles}"
        )


def sign(clean: pa.Table, recipe: Recipe, hashes: pa.Table | None = None) -> pa.Table:
    """Return the KEYS of CLEAN articles, one row an article, signed by `recipe`.

    Keys are taken from KEYED_CLEAN, where it is given, with their hashes, and are folded else.
    Texts under `recipe.min_shingles` have no signature and no bands. Articles that ARTICLE_HASHES
    does not name have no lines and no passages.
    """
    is_keyed = "key" in clean.column_names
    keys = whole(clean["key"]) if is_keyed else key_array(clean["text"])
    signatures, n_shingles = sign_array(keys, recipe)
    return _keys_table(clean, keys, signatures, n_shingles, recipe, hashes)


def keys_of(
    articles: pa.Table, signatures: pa.Table, recipe: Recipe, hashes: pa.Table | None = None
) -> pa.Table:
    """Return KEYS rows rebuilt from stored columns, equal to what `sign` gave.

    Args:
        articles: article_id, source_id, published_at, title, text (the clean one).
        signatures: article_id, n_shingles, signature, made by `recipe`; every article has a row.
        recipe: what the signatures were made with.
        hashes: ARTICLE_HASHES of the same articles.
    """
    joined = articles.join(
        signatures.select(["article_id", "n_shingles", "signature"]), ["article_id"]
    )
    stored = joined["signature"].combine_chunks()
    matrix = np.zeros((len(joined), recipe.num_perm), np.uint32)
    signed = np.flatnonzero(np.asarray(stored.is_valid()))
    matrix[signed] = np.frombuffer(b"".join(stored.drop_null().to_pylist()), "<u4").reshape(
        -1, recipe.num_perm
    )
    n_shingles = joined["n_shingles"].to_numpy()
    keys = key_array(joined["text"])
    return _keys_table(joined, keys, matrix, n_shingles, recipe, hashes)


def sign_array(
    keys: pa.LargeStringArray, recipe: Recipe
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return what `sign_keys` returns; large batches are signed by the compiled engine.

    The kernel holds no lock: slices of `keys` may be signed in several threads.
    """
    utf8 = Utf8.of(keys)
    if recipe.hash_name == SHA1 or not use_compiled(utf8.n_articles):
        return sign_keys(keys.to_pylist(), recipe)
    from pipeline.text.kernels import kernel  # lazily: most commands sign nothing

    sign_all = kernel("pipeline.dedup.signatures_compiled", "sign_all")
    signatures = np.zeros((len(keys), recipe.num_perm), np.uint32)
    sizes = np.zeros(len(keys), np.int64)
    windows = window_tables(recipe.profile)
    permutations = _permutations(recipe.num_perm, recipe.seed)
    sign_all(*utf8, *windows, *permutations, recipe.min_shingles, signatures, sizes)
    return signatures, sizes


def sign_keys(keys: Sequence[str], recipe: Recipe) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the signatures uint32 [n, num_perm] and the sizes of the shingle sets int64 [n].

    Rows of texts under `recipe.min_shingles` are zero: they have no signature.
    """
    signatures = np.zeros((len(keys), recipe.num_perm), np.uint32)
    sizes = np.zeros(len(keys), np.int64)
    hash_sets = sha1_sets if recipe.hash_name == SHA1 else shingle_sets
    for block in blocks_of(keys):
        hashes, offsets = hash_sets(keys[block], recipe.profile)
        sizes[block] = np.diff(offsets)
        signed = np.flatnonzero(sizes[block] >= recipe.min_shingles)
        if signed.size:
            signatures[block.start + signed] = _min_hashes(hashes, offsets, signed, recipe)
    return signatures, sizes


def band_keys(signatures: NDArray[np.uint32], recipe: Recipe) -> NDArray[np.uint64]:
    """Return the bucket keys uint64 [n, bands]; two rows share one iff the band's values agree.

    The same buckets as `datasketch.MinHashLSH(params=(bands, rows))`; the number of the band is
    mixed in, so that buckets of all bands live in one array. Each step is a bijection of the
    state, so distinct bands meet only by a 64-bit collision.
    """
    n_slots = recipe.bands * recipe.rows
    rows = signatures[:, :n_slots].reshape(-1, recipe.bands, recipe.rows).astype(np.uint64)
    keys = np.broadcast_to(np.arange(1, recipe.bands + 1, dtype=np.uint64), rows.shape[:2])
    for row in range(recipe.rows):
        keys = mix64(keys ^ rows[:, :, row] << np.uint64(32))
    return keys


def to_minhash(signature: bytes, recipe: Recipe) -> MinHash:
    """Return a stored signature as the `datasketch.MinHash` that it is."""
    from datasketch import MinHash  # lazily: importing it takes 0.6 s

    values = np.frombuffer(signature, "<u4").astype(np.uint32)
    hashfunc = sha1_shingle if recipe.hash_name == SHA1 else hash_shingle
    return MinHash(seed=recipe.seed, hashfunc=hashfunc, hashvalues=values, scheme=SCHEME)


def _min_hashes(
    hashes: NDArray[np.uint64], offsets: Offsets, signed: NDArray[np.int64], recipe: Recipe
) -> NDArray[np.uint32]:
    """Return the signatures of the sets numbered `signed`, uint32 [len(signed), num_perm]."""
    multipliers, addends = _permutations(recipe.num_perm, recipe.seed)
    lengths = np.diff(offsets)
    if signed.size < lengths.size:
        hashes = hashes[np.repeat(lengths >= recipe.min_shingles, lengths)]
    mixed = mix32(hashes.astype(np.uint32))
    starts = np.cumsum(lengths[signed]) - lengths[signed]
    minima = np.empty((recipe.num_perm, signed.size), np.uint32)
    permuted = np.empty_like(mixed)
    for slot in range(recipe.num_perm):
        np.multiply(mixed, multipliers[slot], out=permuted)
        np.add(permuted, addends[slot], out=permuted)
        np.minimum.reduceat(permuted, starts, out=minima[slot])
    return minima.T


@cache
def _permutations(num_perm: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the multipliers and addends of datasketch's `affine32`, uint32 [num_perm] each.

    Drawn as `MinHash._init_permutations` draws them (numpy keeps the stream of RandomState for
    ever): importing datasketch for them takes 0.6 s and 76 MB a process.
    """
    drawn = np.random.RandomState(seed)
    # Odd multipliers are bijections of the 32-bit integers.
    multipliers = drawn.randint(0, 1 << 31, num_perm, np.uint32) * np.uint32(2) + np.uint32(1)
    return multipliers, drawn.randint(0, 1 << 32, num_perm, np.uint32)


def _keys_table(
    articles: pa.Table,
    keys: pa.LargeStringArray,
    signatures: NDArray[np.uint32],
    n_shingles: NDArray[np.int64],
    recipe: Recipe,
    hashes: pa.Table | None,
) -> pa.Table:
    """Return KEYS from the columns of `articles` and what was computed for them, row by row."""
    is_signed = n_shingles >= recipe.min_shingles
    hashes = ARTICLE_HASHES.schema.empty_table() if hashes is None else hashes
    places = pc.index_in(articles["article_id"], whole(hashes["article_id"]))
    numbers = numbers_array(articles["text"])
    title_keys, versions = title_columns(articles["title"])
    columns = {
        "article_id": articles["article_id"],
        "source_id": articles["source_id"],
        "published_at": articles["published_at"].cast(TIME),
        "title_key": title_keys,
        "title_version": versions,
        "key": keys,
        "key_hash": articles["key_hash"] if "key" in articles.column_names else key_hashes(keys),
        "numbers": numbers,
        "numbers_hash": short_digests(Utf8.of(pc.binary_join(numbers, "|"))),
        "n_shingles": pa.array(n_shingles, pa.int32()),
        "signature": _fixed_binary(signatures.astype("<u4"), is_signed),
        "bands": _fixed_binary(band_keys(signatures, recipe).astype("<u8"), is_signed),
        "lines": _taken(hashes["lines"], places),
        "passages": _taken(hashes["passages"], places),
    }
    return conform(pa.table(columns), KEYS)


def _taken(lists: pa.ChunkedArray, places: pa.ChunkedArray) -> pa.Array:
    """Return the lists at these places, an empty one where a place is NULL."""
    taken = whole(lists).take(whole(places))
    return pc.coalesce(taken, pa.scalar([], HASHES))


def _fixed_binary(
    matrix: NDArray[np.uint32] | NDArray[np.uint64], is_valid: NDArray[np.bool_]
) -> pa.Array:
    """Return each row of `matrix` as fixed-size binary, NULL where not valid."""
    contiguous = np.ascontiguousarray(matrix)
    n_bytes = contiguous.shape[1] * contiguous.itemsize
    validity = pa.py_buffer(np.packbits(is_valid, bitorder="little").tobytes())
    buffers = [validity, pa.py_buffer(contiguous)]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(n_bytes), len(contiguous), buffers)
