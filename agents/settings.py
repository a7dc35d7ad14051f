"""Read settings from the environment: once, typed and frozen.

A field's alias is the variable that it is read from. All variables are fields of four classes:
`ProviderKeys` here, `GraphSettings` in graphs/settings.py, `Settings` in app/settings.py and
`ServerSettings` in app/server/settings.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from agents.errors import InputError


class EnvironmentSettings(BaseSettings):
    """Hold fields that `read` takes from an environment; an empty variable is no setting."""

    model_config = SettingsConfigDict(frozen=True, case_sensitive=True, populate_by_name=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave the environment to `read`, so that a constructor gives what it is given."""
        return (init_settings,)

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Read `environment`, by default the process's; `given` are fields that come from elsewhere.

        Raises:
            InputError: a variable has a wrong value.
        """
        source = EnvSettingsSource(cls)
        variables = source.env_vars if environment is None else environment
        source.env_vars = {name: value for name, value in variables.items() if value}
        try:
            return cls(**source(), **given)
        except ValidationError as error:
            raise _input_error(error) from error


class ProviderKeys(EnvironmentSettings):
    """Hold the keys of model servers.

    Attributes:
        openai: for every server that speaks OpenAI's protocol.
        huggingface: for inference endpoints.
        router: for the server whose model routes.
        langgraph: for remote graphs.
    """

    openai: SecretStr | None = Field(default=None, alias="OPENAI_API_KEY")
    huggingface: SecretStr | None = Field(default=None, alias="HF_TOKEN")
    router: SecretStr | None = Field(default=None, alias="OCTOPUS_ROUTER_KEY")
    langgraph: SecretStr | None = Field(default=None, alias="LANGGRAPH_API_KEY")

    def hidden(self, text: str) -> str:
        """Return `text` with the variable's name for each key that a server repeats."""
        for name, field in type(self).model_fields.items():
            if key := getattr(self, name):
                text = text.replace(key.get_secret_value(), f"[{field.alias}]")
        return text


def _input_error(error: ValidationError) -> InputError:
    """Return the first fault as an error that names the variable; a validator's own error as it is."""
    fault = error.errors(include_url=False)[0]
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return cause
    name = ".".join(map(str, fault["loc"]))
    return InputError(f"{name}={fault['input']!r}: {cause or fault['msg']}.")
