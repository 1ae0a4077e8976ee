"""The rules of every stage, composed from the settings of the shell and what a warehouse recalls.

A warehouse is derived with one set of parameters: PARAMETERS lists the settings that are such.
It remembers those that are not at their default; another value is refused until a rebuild.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, get_origin

import orjson
from pydantic import TypeAdapter, ValidationError

from flows.rule_set import Rules as Rules
from pipeline.errors import SettingsError, WarehouseError
from pipeline.settings import Settings
from pipeline.store.warehouse import Warehouse

Parameters = Mapping[str, Any]
"""Values of some PARAMETERS as JSON has them; one that is missing is at its default."""

PARAMETERS: Mapping[str, tuple[str, str]] = {
    "near_jaccard": ("relations", "near_jaccard"),
    "near_jaccard_short": ("relations", "near_jaccard_short"),
    "update_jaccard": ("relations", "update_jaccard"),
    "related_jaccard": ("relations", "related_jaccard"),
    "contained_containment": ("relations", "contained_containment"),
    "duplicate_relations": ("relations", "duplicate_relations"),
    "furniture_min_documents": ("learning", "min_documents"),
    "furniture_min_share": ("learning", "min_share"),
    "source_priority": ("canonical", "source_priority"),
    "shared_policy": ("shared", "policy"),
}
"""The settings that change what is derived, and the field of Rules that each of them sets."""

DEFAULT = "default"
"""The word that brings a parameter back to its default."""


def rules_in(warehouse: Warehouse, settings: Settings) -> Rules:
    """Return the rules of a run on `warehouse`; one that holds nothing yet remembers its own.

    Raises:
        WarehouseError: a setting has another value than the warehouse was derived with.
    """
    remembered = warehouse.parameters()
    if remembered is None:
        warehouse.remember(without_defaults(explicit_parameters(settings)))
    return rules_of(settings, remembered)


def rules_of(settings: Settings, remembered: Parameters | None = None) -> Rules:
    """Return the rules of a run.

    Args:
        settings: what is set explicitly counts.
        remembered: what the warehouse was derived with; None while nothing was.

    Raises:
        WarehouseError: a setting has another value than the one remembered.
    """
    explicit = explicit_parameters(settings)
    if remembered is None:
        return rules_from(explicit)
    standing = rules_from(remembered)
    others = {
        name: value
        for name, value in explicit.items()
        if rules_from({**remembered, name: value}) != standing
    }
    if others:
        raise _differ(standing, others)
    return standing


def rules_from(parameters: Parameters) -> Rules:
    """Return the stages' own defaults with these parameters.

    Raises:
        WarehouseError: a parameter is unknown: another unecho derived the warehouse.
    """
    rules = Rules()
    for name, value in parameters.items():
        if name not in PARAMETERS:
            raise WarehouseError(
                f"the warehouse was derived with {name} = {shown(value)}, which this unecho lacks",
                next_step="use the unecho that wrote it, or derive it anew with: unecho rebuild",
            )
        stage, knob = PARAMETERS[name]
        part = getattr(rules, stage)
        default = getattr(part, knob)
        typed = type(default)(value) if isinstance(default, tuple | frozenset) else value
        rules = replace(rules, **{stage: replace(part, **{knob: typed})})
    return rules


def value_in(rules: Rules, name: str) -> Any:
    """Return the value that a parameter has in `rules`."""
    stage, knob = PARAMETERS[name]
    return getattr(getattr(rules, stage), knob)


def explicit_parameters(settings: Settings) -> dict[str, Any]:
    """Return the parameters that an argument, the environment or unecho.toml sets."""
    given = {name: getattr(settings, name) for name in PARAMETERS}
    return {
        name: _as_json(name, value)
        for name, value in given.items()
        if name in settings.model_fields_set and value is not None
    }


def without_defaults(parameters: Parameters) -> dict[str, Any]:
    """Return the parameters that change a rule; those that this unecho lacks are left out."""
    known = {name: value for name, value in parameters.items() if name in PARAMETERS}
    return {name: value for name, value in known.items() if rules_from({name: value}) != Rules()}


def parse_parameter(assignment: str) -> tuple[str, Any]:
    """Return the name and the value of `KEY=VALUE`; the value of `KEY=default` is None.

    >>> parse_parameter("near_jaccard=0.7")
    ('near_jaccard', 0.7)
    >>> parse_parameter("source_priority=yonhap, ap")
    ('source_priority', ['yonhap', 'ap'])

    Raises:
        SettingsError: no such parameter, or a value that it cannot have.
    """
    name, is_given, text = (part.strip() for part in assignment.partition("="))
    if name not in PARAMETERS:
        raise SettingsError(
            name or assignment,
            "no parameter that a rebuild can set",
            next_step=f"these are: {', '.join(sorted(PARAMETERS))}",
        )
    if not is_given:
        raise SettingsError(
            name, "no value", next_step=f"write it as --set {name}=VALUE, or {name}={DEFAULT}"
        )
    if text == DEFAULT:
        return name, None
    adapter = _adapter(name)
    try:
        value = adapter.validate_python(_value_of(name, text))
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise SettingsError(
            name, f"{text or 'nothing'}: {problem}", next_step="give it another value"
        ) from error
    return name, _as_json(name, value)


def shown(value: Any) -> str:
    """Return a parameter's value as `--set` takes it."""
    if isinstance(value, tuple | list | frozenset):
        return ",".join(sorted(value) if isinstance(value, frozenset) else value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _value_of(name: str, text: str) -> Any:
    """Return what pydantic is to read: JSON as it is, and a list also with bare commas."""
    if text[:1] in ("[", "{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    if get_origin(Settings.model_fields[name].annotation) in (tuple, list, frozenset, set):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _as_json(name: str, value: Any) -> Any:
    """Return a parameter's value as JSON has it; a set is a sorted list."""
    plain = _adapter(name).dump_python(value, mode="json")
    return sorted(plain) if isinstance(value, frozenset | set) else plain


def _adapter(name: str) -> TypeAdapter[Any]:
    setting = Settings.model_fields[name]
    annotation: Any = setting.annotation
    for constraint in setting.metadata:
        annotation = Annotated[annotation, constraint]
    return TypeAdapter(annotation)


def _differ(standing: Rules, others: Parameters) -> WarehouseError:
    values = [
        f"{name} = {shown(value)} is set, but the warehouse was derived with"
        f" {shown(value_in(standing, name)) or 'none'}"
        for name, value in others.items()
    ]
    sets = " ".join(f"--set {name}={shown(value)}" for name, value in others.items())
    return WarehouseError(
        "; ".join(values),
        next_step=f"leave it out, or derive everything with it: unecho rebuild {sets}",
    )
