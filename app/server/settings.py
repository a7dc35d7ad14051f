"""Settings of the server, read once from the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limits import RateLimitItem, parse_many
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.errors import InputError
from app.server.api_keys import Caller, read_keys
from app.settings import Settings

_VARIABLES = {
    "rate": "OCTOPUS_RATE",
    "concurrency": "OCTOPUS_CONCURRENCY",
    "timeout": "OCTOPUS_TIMEOUT",
    "body_bytes": "OCTOPUS_BODY_BYTES",
    "message_characters": "OCTOPUS_MESSAGE_CHARACTERS",
}


class ServerSettings(BaseModel):
    """What the server may do, for whom, and how much of it.

    Attributes:
        application: the settings of the graph.
        graphs: names or paths of the graphs to serve.
        keys: hash of a key → who it is; empty serves this machine only, without keys.
        rate: requests per key, as the limits package writes it; shared by all servers on one Redis.
        concurrency: requests of one key that this server works on at once.
        timeout: seconds for one turn.
        body_bytes: of one request.
        message_characters: of all messages in one request together.
        origins: `OCTOPUS_CORS_ORIGINS`, web pages from elsewhere that may call; none by default.
    """

    model_config = ConfigDict(frozen=True)

    application: Settings
    graphs: tuple[str, ...] = ("mmlu",)
    keys: Mapping[str, Caller] = Field(default_factory=dict, repr=False)
    rate: str = "6000/minute"
    concurrency: int = Field(default=256, ge=1)
    timeout: float = Field(default=300.0, gt=0)
    body_bytes: int = Field(default=1_000_000, ge=1_000)
    message_characters: int = Field(default=32_000, ge=1)
    origins: tuple[str, ...] = ()

    @property
    def rates(self) -> list[RateLimitItem]:
        """The rate limits, parsed."""
        return parse_many(self.rate)

    @classmethod
    def read(
        cls, environment: Mapping[str, str] | None = None, graphs: tuple[str, ...] = ("mmlu",)
    ) -> ServerSettings:
        """Read `environment`, by default the process's.

        Raises:
            InputError: a variable cannot be understood.
        """
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {
            field: environment[variable]
            for field, variable in _VARIABLES.items()
            if environment.get(variable)
        }
        values["origins"] = tuple(environment.get("OCTOPUS_CORS_ORIGINS", "").split())
        try:
            settings = cls(
                application=Settings.read(environment), graphs=graphs, keys=_keys(environment), **values
            )
            settings.rates  # noqa: B018  parsed here, so that a bad one is named at the start
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            name = _VARIABLES.get(str(fault["loc"][0]), str(fault["loc"][0]))
            raise InputError(f"{name}={fault['input']!r}: {fault['msg']}.") from error
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"OCTOPUS_RATE={values['rate']!r} is not understood.", hint="Write e.g. 600/minute."
            ) from error
        return settings

    def check_address(self, host: str) -> None:
        """Refuse to be reachable from elsewhere without keys.

        Raises:
            InputError: `host` is not this machine alone, and there is no key.
        """
        if not self.keys and not is_loopback(host):
            raise InputError(
                f"{host!r} can be reached from other machines, and no API key is set.",
                hint="`octopus serve --new-key NAME` makes one for OCTOPUS_API_KEYS; or serve on 127.0.0.1.",
            )


def is_loopback(host: str) -> bool:
    """Whether `host` means this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _keys(environment: Mapping[str, str]) -> Mapping[str, Caller]:
    text = environment.get("OCTOPUS_API_KEYS", "")
    if file := environment.get("OCTOPUS_API_KEYS_FILE"):
        try:
            text += "\n" + Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"OCTOPUS_API_KEYS_FILE={file!r} cannot be read: {error}.") from error
    keys = read_keys(text)
    if not keys and ("OCTOPUS_API_KEYS_FILE" in environment or text.strip()):
        raise InputError("API keys are set, but there is none in them.", hint="Or unset both variables.")
    return keys
