"""Read the settings of the server from the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from limits import RateLimitItem, parse_many
from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from agents.errors import InputError
from agents.settings import EnvironmentSettings
from app.server.api_keys import Caller, read_keys
from app.settings import Settings


def _words(text: Any) -> Any:
    return tuple(text.split()) if isinstance(text, str) else text


class ServerSettings(EnvironmentSettings):
    """Hold what the server may do, for whom, and how much of it.

    Attributes:
        application: settings of the graphs and of where conversations are kept.
        graphs: names or paths of the graphs to serve.
        api_keys: entries as `read_keys` takes them; none serves this machine only, without keys.
        api_keys_file: a file of more entries.
        rate: requests per key, as the limits package writes it; shared by all servers on one Redis.
        concurrency: requests of one key that this server works on at once.
        timeout: seconds for one run.
        grace: seconds for the runs that are going on when the server is told to end.
        body_bytes: the longest request.
        message_characters: the longest question; what a model reads of the conversation its window says.
        origins: web pages from elsewhere that may call.
    """

    application: Settings
    graphs: tuple[str, ...] = ("mmlu",)
    api_keys: SecretStr = Field(default=SecretStr(""), alias="OCTOPUS_API_KEYS")
    api_keys_file: Path | None = Field(default=None, alias="OCTOPUS_API_KEYS_FILE")
    rate: str = Field(default="6000/minute", alias="OCTOPUS_RATE")
    concurrency: int = Field(default=256, ge=1, alias="OCTOPUS_CONCURRENCY")
    timeout: float = Field(default=300.0, gt=0, alias="OCTOPUS_TIMEOUT")
    grace: float = Field(default=5.0, ge=0, le=3600, alias="OCTOPUS_GRACE")
    body_bytes: int = Field(default=8_000_000, ge=1_000, alias="OCTOPUS_BODY_BYTES")
    message_characters: int = Field(default=32_000, ge=1, alias="OCTOPUS_MESSAGE_CHARACTERS")
    origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        default=(), alias="OCTOPUS_CORS_ORIGINS"
    )

    @field_validator("rate")
    @classmethod
    def _check_rate(cls, rate: str) -> str:
        try:
            parse_many(rate)
        except ValueError:
            raise ValueError("it is not understood; write e.g. 600/minute") from None
        return rate

    @property
    def rates(self) -> list[RateLimitItem]:
        """Return the rate limits, parsed."""
        return parse_many(self.rate)

    @cached_property
    def keys(self) -> Mapping[str, Caller]:
        """Return who may call, by the hash of the key; empty serves this machine only.

        Raises:
            InputError: the file cannot be read, or an entry is not understood.
        """
        text, file = self.api_keys.get_secret_value(), self.api_keys_file
        try:
            text += "\n" + (file.read_text(encoding="utf-8") if file else "")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"OCTOPUS_API_KEYS_FILE='{file}' cannot be read: {error}.") from error
        return read_keys(text)

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Read `environment`, by default the process's; `given` are fields that come from elsewhere.

        Raises:
            InputError: a variable has a wrong value.
        """
        environment = os.environ if environment is None else environment
        settings = super().read(environment, application=Settings.read(environment), **given)
        wanted = "OCTOPUS_API_KEYS_FILE" in environment or settings.api_keys.get_secret_value().strip()
        if wanted and not settings.keys:
            raise InputError("API keys are set, but there is none in them.", hint="Or unset both variables.")
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
    """Say whether `host` means this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
