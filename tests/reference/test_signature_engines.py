"""Both engines and both recipes held equal to datasketch, for every script and length."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from test_signatures_datasketch import keys_of_every_script_and_length, minhash

from pipeline.dedup.signatures import Recipe, _permutations, sign_array, sign_keys, to_minhash
from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.shingles import SHA1, STORY, shingles


@pytest.fixture(params=["numpy", "compiled"])
def engine(request):
    if request.param == "compiled":
        pytest.importorskip("numba")
    before = chosen_engine()
    choose_engine(request.param)
    yield request.param
    choose_engine(before)


def keys():
    return [key for _, key in keys_of_every_script_and_length()] + ["", "가", "ab"]


def plain_minhash(key):
    reference = MinHash(num_perm=128)
    reference.update_batch([s.encode() for s in shingles(key, STORY)])
    return reference


@pytest.mark.parametrize(
    ("recipe", "reference"),
    [
        (Recipe(min_shingles=1), minhash),
        (Recipe(min_shingles=1, hash_name=SHA1), plain_minhash),
    ],
)
def test_every_engine_signs_as_datasketch_does(engine, recipe, reference):
    texts = keys()
    signatures, sizes = sign_array(pa.array(texts, pa.large_string()), recipe)
    for key, signature, size in zip(texts, signatures, sizes, strict=True):
        assert size == len(set(shingles(key, STORY)))
        if key:
            np.testing.assert_array_equal(signature, reference(key).hashvalues, err_msg=repr(key))


def test_a_sha1_signature_opens_as_a_plain_minhash(engine):
    recipe = Recipe(min_shingles=1, hash_name=SHA1)
    key = "요금은1500원이다시장은산책로를잇겠다고말했다"
    signatures, _ = sign_array(pa.array([key], pa.large_string()), recipe)
    stored = to_minhash(signatures[0].astype("<u4").tobytes(), recipe)
    assert stored == plain_minhash(key)
    stored.update("새 문장".encode())
    reference = plain_minhash(key)
    reference.update("새 문장".encode())
    assert stored == reference


@pytest.mark.parametrize("seed", [1, 2, 12345])
def test_permutations_are_those_datasketch_draws(seed):
    theirs = MinHash(num_perm=128, seed=seed, scheme="affine32").permutations
    np.testing.assert_array_equal(np.array(_permutations(128, seed)), theirs)


def test_recipes_of_two_hashes_never_meet():
    assert Recipe(hash_name=SHA1).params_id != Recipe().params_id
    assert Recipe().params_id == ("key-1/story-9-5-4-5/multilinear64/affine32/p128/s1/32x4/min50")
    with pytest.raises(ValueError, match="md5"):
        Recipe(hash_name="md5")


def test_engines_agree_on_what_is_too_short_and_on_repeats():
    pytest.importorskip("numba")
    rng = np.random.default_rng(5)
    texts = ["".join(rng.choice(list("가나다라 ab12"), n)) for n in range(0, 400, 3)]
    texts += ["가나다라마바" * 200, "a" * 300, "가" * 54, "가나" * 30]
    column = pa.array(texts, pa.large_string())
    found = []
    for name in ("numpy", "compiled"):
        choose_engine(name)
        found.append(sign_array(column, Recipe()))
    choose_engine("auto")
    for plain, compiled in zip(*found, strict=True):
        np.testing.assert_array_equal(plain, compiled)
    np.testing.assert_array_equal(sign_keys(texts, Recipe())[0], found[1][0])


def test_slices_signed_in_threads_are_the_whole(engine):
    column = pa.array(keys(), pa.large_string())
    whole, sizes = sign_array(column, Recipe())
    with ThreadPoolExecutor(2) as pool:
        bounds = range(0, len(column), 40)
        parts = list(pool.map(lambda at: sign_array(column.slice(at, 40), Recipe()), bounds))
    np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), whole)
    np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), sizes)


def test_signing_does_not_load_datasketch():
    program = (
        "import sys; from pipeline.dedup.signatures import Recipe, sign_keys;"
        " sign_keys(['가나다라마바사' * 20], Recipe(min_shingles=1));"
        " print([m for m in ('datasketch', 'scipy', 'numba') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
