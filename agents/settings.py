"""Read settings from the environment: once, typed and frozen.

A field's alias is the variable that it is read from. All variables are fields of five classes:
`ProviderKeys` and `LocalServers` here, `GraphSettings` in graphs/settings.py, `Settings` in app/settings.py
and `ServerSettings` in app/server/settings.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

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


USUAL_PORTS: Mapping[str, int] = MappingProxyType(
    {"ollama": 11434, "lmstudio": 1234, "llamacpp": 8080, "vllm": 8000, "jan": 1337, "sglang": 30000}
)
"""Say where model servers listen unless they are told otherwise; LocalAI and llamafile take llama.cpp's."""


def _places(given: Any) -> Any:
    """Read `ollama=11500, 8099`, or `none`."""
    if not isinstance(given, str) or given.strip() == "none":
        return given if not isinstance(given, str) else ()
    found = []
    for one in given.replace(",", " ").split():
        kind, _, port = one.rpartition("=")
        if not port.isdecimal() or not 0 < int(port) < 65536 or kind not in {"", *USUAL_PORTS}:
            raise InputError(
                f"OCTOPUS_SERVERS={given!r}: {one!r} is no port of this machine.",
                hint=f"Write e.g. ollama=11500, 8099, or none; kinds are {', '.join(USUAL_PORTS)}.",
            )
        found.append((kind, int(port)))
    return tuple(found)


class LocalServers(EnvironmentSettings):
    """Hold where model servers are looked for on this machine; never elsewhere.

    Attributes:
        places: (kind, port) in the order in which they are preferred; "" is a kind that is not known.
    """

    places: Annotated[tuple[tuple[str, int], ...], NoDecode, BeforeValidator(_places)] = Field(
        default=tuple(USUAL_PORTS.items()), alias="OCTOPUS_SERVERS"
    )


def _input_error(error: ValidationError) -> InputError:
    """Return the first fault as an error that names the variable; a validator's own error as it is."""
    fault = error.errors(include_url=False)[0]
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return cause
    name = ".".join(map(str, fault["loc"]))
    return InputError(f"{name}={fault['input']!r}: {cause or fault['msg']}.")
