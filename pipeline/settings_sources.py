"""Where settings come from beside arguments: the environment (`UNECHO_…`) and `unecho.toml`."""

from __future__ import annotations

from typing import Any

from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pipeline.settings import ENV_PREFIX, Settings, config_path


class _SettingsOfSources(Settings, BaseSettings):
    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first: with only a TOML source pydantic-settings ignores them silently."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=config_path())
        return init_settings, env_settings, toml


def read_settings(given: dict[str, Any]) -> Settings:
    """Return the settings: `given` > the environment > the settings file.

    Raises:
        ValueError: a source says something wrong; pydantic's ValidationError is one.
    """
    read = _SettingsOfSources(**given)
    said = {name: getattr(read, name) for name in read.model_fields_set}
    return Settings.model_construct(read.model_fields_set, **said)
