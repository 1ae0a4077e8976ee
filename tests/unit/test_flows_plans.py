"""The list of schedules from which `unecho serve` and prefect.yaml come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from flows.serve import ENTRYPOINT, Plan, plans_of, prefect_yaml, settings_file
from pipeline.errors import SettingsError
from pipeline.settings import Settings, SourceSettings, load_settings

REPOSITORY = Path(__file__).resolve().parents[2]


def settings_with(*sources: SourceSettings) -> Settings:
    return load_settings(warehouse=Path("w"), source=sources)


def plan(schedule: str, timezone: str = "UTC") -> Plan:
    source = SourceSettings(id="a", path="a", schedule=schedule, timezone=timezone)
    return plans_of(settings_with(source), None)[0]


def test_every_enabled_source_has_a_plan_with_absolute_paths() -> None:
    settings = settings_with(
        SourceSettings(id="press", path="a", schedule="10m", timezone="Asia/Seoul"),
        SourceSettings(id="off", path="b", enabled=False),
        SourceSettings(id="wire", path="c", schedule="*/10 * * * *"),
    )
    press, wire = plans_of(settings, Path("unecho.toml"))
    assert (press.source_id, press.cron, press.interval) == ("press", None, timedelta(minutes=10))
    assert (wire.source_id, wire.cron, wire.interval) == ("wire", "*/10 * * * *", None)
    assert press.parameters == {
        "source": "press",
        "warehouse": str(Path("w").resolve()),
        "config": str(Path("unecho.toml").resolve()),
    }


@pytest.mark.parametrize(
    ("schedule", "timezone", "after", "expected"),
    [
        ("10m", "UTC", "2026-03-01T08:03:00+00:00", "2026-03-01T08:10:00+00:00"),
        ("10m", "UTC", "2026-03-01T08:10:00+00:00", "2026-03-01T08:20:00+00:00"),
        ("1d", "Asia/Seoul", "2026-03-01T08:03:00+00:00", "2026-03-02T00:00:00+09:00"),
        ("0 4 * * *", "Asia/Seoul", "2026-03-01T08:03:00+00:00", "2026-03-02T04:00:00+09:00"),
        ("0 0 1 1 *", "UTC", "2026-03-01T08:03:00+00:00", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_the_next_slot(schedule: str, timezone: str, after: str, expected: str) -> None:
    start = plan(schedule, timezone).next_start(datetime.fromisoformat(after))
    assert start == datetime.fromisoformat(expected)


def test_an_interval_counts_from_a_moment_that_a_restart_does_not_change() -> None:
    first = plan("7m").next_start(datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
    assert plan("7m").next_start(first - timedelta(seconds=1)) == first


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"id": "a%b"}, "cannot be the name of a schedule"),
        ({"schedule": "R * * * *"}, "random part"),
        ({"schedule": "0 0 31 2 *"}, "a day that never comes"),
        ({"schedule": "400d"}, "longer than 366 days"),
        ({"schedule": "9999999d"}, "longer than 366 days"),
    ],
)
def test_what_prefect_would_refuse_is_refused_before_it_starts(
    source: dict[str, str], said: str
) -> None:
    settings = settings_with(SourceSettings.model_validate({"id": "a", "path": "a"} | source))
    with pytest.raises(SettingsError, match=said):
        plans_of(settings, None)


def test_no_source_is_no_plan() -> None:
    assert plans_of(settings_with(), None) == []
    assert plans_of(settings_with(SourceSettings(id="off", path="a", enabled=False)), None) == []


def test_the_settings_file_is_found_as_the_settings_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings_file() is None
    (tmp_path / "unecho.toml").touch()
    assert settings_file() == Path("unecho.toml")
    monkeypatch.setenv("UNECHO_CONFIG", "other.toml")
    assert settings_file() == Path("other.toml")


def test_prefect_yaml_is_that_of_the_sample_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNECHO_CONFIG", str(REPOSITORY / "seeds" / "sources.toml"))
    plans = plans_of(load_settings(), settings_file())
    written = (REPOSITORY / "prefect.yaml").read_text()
    assert written == prefect_yaml(plans)
    assert str(REPOSITORY) not in written
    entries = yaml.safe_load(written)["deployments"]
    assert [e["name"] for e in entries] == [p.source_id for p in plans]
    for entry, p in zip(entries, plans, strict=True):
        assert entry["entrypoint"] == ENTRYPOINT
        assert set(entry["parameters"]) == set(p.parameters)
        assert entry["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
        (schedule,) = entry["schedules"]
        assert schedule["timezone"] == p.timezone
        seconds = None if p.interval is None else p.interval.total_seconds()
        assert (schedule.get("cron"), schedule.get("interval")) == (p.cron, seconds)
