"""The parameters of a warehouse: what may be set, what is remembered, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows.rebuild import chosen_parameters
from flows.rules import (
    PARAMETERS,
    Rules,
    explicit_parameters,
    parse_parameter,
    rules_from,
    rules_in,
    rules_of,
    shown,
    value_in,
    without_defaults,
)
from pipeline.errors import SettingsError, WarehouseError
from pipeline.settings import Settings, load_settings
from pipeline.store.warehouse import Warehouse, open_warehouse
from tests.crash import workload

OTHER: dict[str, Any] = {
    "near_jaccard": 0.71,
    "near_jaccard_short": 0.93,
    "update_jaccard": 0.52,
    "related_jaccard": 0.41,
    "contained_containment": 0.8,
    "duplicate_relations": ["exact", "near"],
    "furniture_min_documents": 9,
    "furniture_min_share": 0.01,
    "source_priority": ["press", "wire"],
    "shared_policy": "collapse",
}
"""For each parameter a value that is not its default."""


def test_every_parameter_is_a_setting_and_changes_the_rules() -> None:
    assert set(OTHER) == set(PARAMETERS) <= set(Settings.model_fields)
    for name, value in OTHER.items():
        rules = rules_from({name: value})
        assert rules != Rules()
        found = value_in(rules, name)
        assert found == (type(found)(value) if isinstance(value, list) else value)
        assert rules_of(Settings(**{name: value})) == rules


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_set_takes_is_what_is_shown(name: str) -> None:
    assert parse_parameter(f"{name}={shown(OTHER[name])}") == (name, OTHER[name])
    assert parse_parameter(f"{name}=default") == (name, None)


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("near_jaccard=.6", 0.6),
        (" near_jaccard = 0.6 ", 0.6),
        ("source_priority=wire", ["wire"]),
        ("source_priority=wire, press", ["wire", "press"]),
        ('source_priority=["a, b"]', ["a, b"]),
        ("source_priority=", []),
    ],
)
def test_values_as_people_write_them(assignment: str, value: object) -> None:
    assert parse_parameter(assignment)[1] == value


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("near_jacard=0.6", r"near_jacard: no parameter .*; these are: contained_containment, "),
        ("warehouse=x", r"warehouse: no parameter that a rebuild can set"),
        ("near_jaccard", r"near_jaccard: no value; write it as --set near_jaccard=VALUE"),
        ("=0.6", r"=0\.6: no parameter"),
        ("near_jaccard=", r"near_jaccard: nothing: .*number"),
        ("near_jaccard=high", r"near_jaccard: high: .*number"),
        ("near_jaccard=1.2", r"near_jaccard: 1\.2: .*less than or equal to 1"),
        ("near_jaccard=0", r"near_jaccard: 0: .*greater than 0"),
        ("near_jaccard=nan", r"near_jaccard: nan: "),
        ("source_priority=[1", r"source_priority: \[1: .*tuple"),
    ],
)
def test_what_cannot_be_set_is_one_line(assignment: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as raised:
        parse_parameter(assignment)
    assert "\n" not in str(raised.value)


def test_only_what_is_set_counts_as_explicit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert explicit_parameters(load_settings()) == {}
    monkeypatch.setenv("UNECHO_NEAR_JACCARD", "0.71")
    assert explicit_parameters(load_settings()) == {"near_jaccard": 0.71}
    monkeypatch.setenv("UNECHO_SOURCE_PRIORITY", '["wire"]')
    assert explicit_parameters(load_settings()) == {
        "near_jaccard": 0.71,
        "source_priority": ["wire"],
    }


def test_defaults_are_not_remembered() -> None:
    default = value_in(Rules(), "near_jaccard")
    assert without_defaults({"near_jaccard": default, "source_priority": []}) == {}
    assert without_defaults({"unheard_of": 1, "near_jaccard": 0.71}) == {"near_jaccard": 0.71}


def test_remembered_parameters_stand_and_others_are_refused() -> None:
    remembered = {"near_jaccard": 0.71}
    assert rules_of(Settings(), remembered) == rules_from(remembered)
    assert rules_of(Settings(near_jaccard=0.71), remembered) == rules_from(remembered)
    assert rules_of(Settings(source_priority=()), remembered) == rules_from(remembered)
    with pytest.raises(WarehouseError) as raised:
        rules_of(Settings(near_jaccard=0.6, source_priority=("wire",)), remembered)
    assert str(raised.value) == (
        "near_jaccard = 0.6 is set, but the warehouse was derived with 0.71; source_priority ="
        " wire is set, but the warehouse was derived with none; leave it out, or derive"
        " everything with it: unecho rebuild --set near_jaccard=0.6 --set source_priority=wire"
    )


def test_the_default_is_refused_too_where_another_value_stands() -> None:
    default = value_in(Rules(), "near_jaccard")
    with pytest.raises(WarehouseError, match=r"was derived with 0\.71"):
        rules_of(Settings(near_jaccard=default), {"near_jaccard": 0.71})


def test_a_parameter_of_a_newer_unecho_is_refused_but_not_by_a_rebuild() -> None:
    with pytest.raises(WarehouseError, match="unheard_of = 1, which this unecho lacks"):
        rules_of(Settings(), {"unheard_of": 1})
    assert chosen_parameters(Settings(), {"unheard_of": 1}, {}) == {}


def test_what_a_rebuild_takes_first() -> None:
    remembered = {"near_jaccard": 0.71, "near_jaccard_short": 0.93}
    assert chosen_parameters(Settings(), remembered, {}) == remembered
    settings = Settings(near_jaccard=0.6)
    assert chosen_parameters(settings, remembered, {})["near_jaccard"] == 0.6
    assert chosen_parameters(settings, remembered, {"near_jaccard": 0.8})["near_jaccard"] == 0.8
    given = {"near_jaccard": None}
    assert chosen_parameters(settings, remembered, given) == {"near_jaccard_short": 0.93}


def remembered_by(warehouse: Warehouse) -> dict[str, Any]:
    found = warehouse.parameters()
    assert found is not None
    return found


def test_a_warehouse_remembers_from_its_first_snapshot_on(tmp_path: Path) -> None:
    settings = Settings(near_jaccard=0.71)
    with open_warehouse(tmp_path) as warehouse:
        assert warehouse.parameters() is None
        rules_in(warehouse, Settings(near_jaccard=0.6))  # a run that came to nothing
        assert rules_in(warehouse, settings) == rules_from({"near_jaccard": 0.71})
        workload.ingest(warehouse, 0)
        assert remembered_by(warehouse) == {"near_jaccard": 0.71}
    with open_warehouse(tmp_path) as warehouse:
        assert rules_in(warehouse, Settings()) == rules_in(warehouse, settings)
        with pytest.raises(WarehouseError, match=r"rebuild --set near_jaccard=0\.6"):
            rules_in(warehouse, Settings(near_jaccard=0.6))
        workload.ingest(warehouse, 1)
        assert remembered_by(warehouse) == {"near_jaccard": 0.71}


def test_an_old_warehouse_stands_for_the_defaults(tmp_path: Path) -> None:
    with open_warehouse(tmp_path) as warehouse:
        workload.ingest(warehouse, 0)
        assert rules_in(warehouse, Settings()) == Rules()
        with pytest.raises(WarehouseError, match="is set, but the warehouse was derived with"):
            rules_in(warehouse, Settings(near_jaccard=0.6))
