"""Patterns that are compiled late are right all the same, and travel to workers uncompiled."""

from __future__ import annotations

import gc
import importlib
import pickle
import pkgutil
import re

import pipeline
from pipeline.text.lazy_pattern import LazyPattern, lazy


def test_every_lazy_pattern_compiles() -> None:
    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not module.name.endswith("_compiled"):
            importlib.import_module(module.name)
    patterns = [found for found in gc.get_objects() if isinstance(found, LazyPattern)]
    assert len(patterns) > 100
    for found in patterns:
        assert re.compile(found.pattern, found.flags).pattern == found.pattern


def test_it_answers_as_the_compiled_pattern_does() -> None:
    late, now = lazy("(?P<n>A)B*", re.IGNORECASE), re.compile("(?P<n>A)B*", re.IGNORECASE)
    text = "xabB ab"
    assert late.findall(text) == now.findall(text)
    assert late.sub("-", text) == now.sub("-", text)
    assert late.groupindex == now.groupindex
    assert late.pattern == now.pattern


def test_it_travels_after_its_first_use() -> None:
    late = lazy("b+")
    assert late.search("abb")
    assert pickle.loads(pickle.dumps(late)).search("abb")[0] == "bb"
