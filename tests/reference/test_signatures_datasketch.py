"""Signatures and buckets held equal to datasketch's own, for every script and length."""

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH

from pipeline.dedup.signatures import Recipe, band_keys, sign_keys, to_minhash
from pipeline.text.normalise import make_key
from pipeline.text.shingles import STORY, hash_shingle, hash_window, shingle_hashes, shingles

ALPHABETS = {
    "hangul": "가나다라마바사아자차카타파하서울시장은이가",
    "han": "漢字日月火水木金土中国文明新聞報道",
    "kana": "あいうえおカキクケコさしすせそー",
    "latin": "abcdefgh éüñçø",
    "cyrillic": "абвгдежз иклмно",
    "greek": "αβγδεζη θικλμν",
    "arabic": "ابتثجحخ دذرزسش",
    "hebrew": "אבגדהוז חטיכלמ",
    "devanagari": "अआइईउऊकखग नमस्ते",
    "thai": "กขคงจฉชซฌญภาษาไทย",
    "khmer": "កខគឃងចឆជ",
    "burmese": "ကခဂဃငစဆဇ",
    "digits": "0123456789. %",
    "four_bytes": "𝒳𠀀𠀁𡀂",
    "mixed": "가나다 abc 漢字かな 123 ไทย обв",
}
LENGTHS = (1, 3, 4, 5, 8, 9, 10, 49, 53, 54, 58, 59, 60, 200, 1500)


def keys_of_every_script_and_length():
    rng = np.random.default_rng(1)
    for name, alphabet in ALPHABETS.items():
        for length in LENGTHS:
            yield name, make_key("".join(rng.choice(list(alphabet), length)))


def minhash(key):
    reference = MinHash(num_perm=128, seed=1, scheme="affine32", hashfunc=hash_shingle)
    reference.update_batch([s.encode() for s in shingles(key, STORY)])
    return reference


def test_signature_equals_datasketch_for_every_script_and_length():
    # min_shingles=1: texts of any length are signed here.
    recipe = Recipe(min_shingles=1)
    keys = [key for _, key in keys_of_every_script_and_length()] + [""]
    signatures, sizes = sign_keys(keys, recipe)
    for key, signature, size in zip(keys, signatures, sizes, strict=True):
        assert size == len(set(shingles(key, STORY)))
        if key:
            np.testing.assert_array_equal(signature, minhash(key).hashvalues, err_msg=repr(key))


def test_shingle_hash_is_the_same_in_arrays_and_in_python():
    for _, key in keys_of_every_script_and_length():
        expected = sorted({hash_window(s) for s in shingles(key, STORY)})
        assert shingle_hashes(key, STORY).tolist() == expected


def test_stored_signature_opens_as_a_minhash():
    recipe = Recipe()
    text = (
        "서울시는 오늘 시내버스 요금을 150원 올린다고 밝혔다. 새 요금은 다음 달 첫날부터 받는다. "
    )
    key = make_key(text + "어린이와 어르신은 지금처럼 무료로 탄다고 시는 덧붙였다.")
    signatures, _ = sign_keys([key], recipe)
    stored = to_minhash(signatures[0].astype("<u4").tobytes(), recipe)
    assert stored == minhash(key)
    assert stored.jaccard(minhash(key)) == 1.0


def test_the_plain_python_update_gives_the_same():
    key = make_key("The council voted to keep the old tram line open for another winter season.")
    reference = MinHash(num_perm=128, seed=1, scheme="affine32", hashfunc=hash_shingle)
    for shingle in shingles(key, STORY):
        reference.update(shingle.encode())
    signatures, _ = sign_keys([key], Recipe(min_shingles=1))
    np.testing.assert_array_equal(signatures[0], reference.hashvalues)


def edited_keys():
    """Return keys of every script, each with copies edited at 2, 10 and 40 % of positions."""
    rng = np.random.default_rng(2)
    keys = []
    for alphabet in ALPHABETS.values():
        original = rng.choice(list(alphabet), 400)
        for share in (0.0, 0.02, 0.10, 0.40):
            copy = original.copy()
            places = rng.random(400) < share
            copy[places] = rng.choice(list(alphabet), int(places.sum()))
            keys.append(make_key("".join(copy)))
    return keys


def assert_same_buckets(signatures, recipe):
    lsh = MinHashLSH(num_perm=128, params=(recipe.bands, recipe.rows))
    minhashes = [to_minhash(s.astype("<u4").tobytes(), recipe) for s in signatures]
    for number, one in enumerate(minhashes):
        lsh.insert(number, one)
    keys = band_keys(signatures, recipe)
    for number, one in enumerate(minhashes):
        shares = np.flatnonzero((keys == keys[number]).any(axis=1))
        assert sorted(lsh.query(one)) == shares.tolist()
    assert len({int(k) for k in np.unique(keys)}) == sum(len(t) for t in hashtable_sizes(lsh))


def hashtable_sizes(lsh):
    return [list(table.keys()) for table in lsh.hashtables]


def test_buckets_equal_minhashlsh_on_edited_texts():
    recipe = Recipe()
    signatures, _ = sign_keys(edited_keys(), recipe)
    assert_same_buckets(signatures, recipe)


def test_buckets_equal_minhashlsh_on_random_signatures():
    rng = np.random.default_rng(3)
    # Few distinct values, so that many bands meet, in equal and in different positions.
    signatures = rng.integers(0, 3, (60, 128)).astype(np.uint32)
    assert_same_buckets(signatures, Recipe())
    assert_same_buckets(signatures[:, ::-1].copy(), Recipe(rows=2))


def test_a_band_number_keeps_equal_values_of_two_bands_apart():
    keys = band_keys(np.zeros((1, 128), np.uint32), Recipe())
    assert len(set(keys[0].tolist())) == 32


def test_recipe_refuses_what_the_contract_cannot_hold():
    with pytest.raises(ValueError, match="contract"):
        Recipe(num_perm=64)
    with pytest.raises(ValueError, match="slots"):
        Recipe(rows=8)


def test_every_part_of_the_recipe_changes_its_id():
    ids = {
        Recipe().params_id,
        Recipe(seed=2).params_id,
        Recipe(rows=2).params_id,
        Recipe(min_shingles=60).params_id,
    }
    assert len(ids) == 4
