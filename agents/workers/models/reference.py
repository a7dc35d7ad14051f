"""Which model a worker has: `KIND:…`, one line in a spec or in OCTOPUS_MODEL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from agents.errors import SpecError
from agents.redaction import bare_urls

Kind = Literal["openai", "hf", "hf-endpoint", "provider", "remote-graph", "mcp"]

FORMS: Mapping[Kind, str] = MappingProxyType(
    {
        "openai": "openai:NAME@URL",
        "hf": "hf:ORG/NAME or hf:FOLDER, then #ADAPTER and ?dtype=bfloat16&device=cuda&load=4bit as needed",
        "hf-endpoint": "hf-endpoint:URL or hf-endpoint:NAME@URL",
        "provider": "provider:PROVIDER:NAME or provider:NAME",
        "remote-graph": "remote-graph:ID@URL",
        "mcp": "mcp:URL",
    }
)
_NAMED = re.compile(r"(?P<name>[^@\s]+(?:@[^@\s]+)*)@(?P<url>https?://\S+)")
_URL = re.compile(r"https?://\S+")
_LOCAL = re.compile(r"(?P<name>[^#?\r\n]+)(?:#(?P<adapter>[^#?\r\n]+))?(?:\?(?P<options>[^#?\s]+))?")
_OPTIONS: Mapping[str, re.Pattern[str]] = {
    "dtype": re.compile("auto|float32|bfloat16|float16"),
    "device": re.compile(r"cpu|mps|(cuda|xpu)(:\d+)?"),
    "load": re.compile("4bit|8bit"),
}


@dataclass(frozen=True)
class ModelReference:
    """A model and where it is.

    Attributes:
        name: of the model, its repository or folder; the id of a remote graph; "" for `mcp`.
        url: base URL of the server, if there is one.
        adapter: repository or folder of a LoRA adapter on `name`; for `hf` only.
        options: `dtype`, `device` and `load`, as far as given; for `hf` only.
    """

    name: str
    url: str = ""
    kind: Kind = "openai"
    adapter: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> ModelReference:
        """Read a reference; its forms are in `FORMS`.

        Raises:
            SpecError: it has another form.
        """
        kind, _, rest = text.strip().partition(":")
        reader = _READERS.get(kind)
        found = reader(kind, rest) if reader else None
        if found is None:
            known = [FORMS[kind]] if kind in FORMS else list(FORMS.values())  # type: ignore[index]
            raise SpecError(
                f"the model {bare_urls(text)!r} is not understood.",
                hint=f"Write {'; '.join(known)}; e.g. openai:llama3.2@http://localhost:11434/v1.",
            )
        return found

    def __str__(self) -> str:
        where = f" at {self.shown}" if self.url else ""
        adapter = f" with the adapter {self.adapter!r}" if self.adapter else ""
        return f"{self.name!r}{adapter}{where}" if self.name else self.shown

    @property
    def shown(self) -> str:
        """The URL as it may be told: without a password or query, which may be a key."""
        return bare_urls(self.url)


def _named(kind: Kind, rest: str) -> ModelReference | None:
    match = _NAMED.fullmatch(rest)
    return ModelReference(match["name"], match["url"], kind) if match and _has_host(match["url"]) else None


def _endpoint(kind: Kind, rest: str) -> ModelReference | None:
    # Text Generation Inference takes any name, and calls its model so itself.
    return _named(kind, rest) or _named(kind, f"tgi@{rest}")


def _url(kind: Kind, rest: str) -> ModelReference | None:
    return ModelReference("", rest, kind) if _URL.fullmatch(rest) and _has_host(rest) else None


def _provider(kind: Kind, rest: str) -> ModelReference | None:
    # init_chat_model knows the provider of well-known names; else it stands before a colon.
    return ModelReference(rest, "", kind) if re.fullmatch(r"[^\s:]+(:\S+)?", rest) else None


def _local(kind: Kind, rest: str) -> ModelReference | None:
    match = _LOCAL.fullmatch(rest)
    if not match:
        return None
    try:
        options = dict(parse_qsl(match["options"] or "", strict_parsing=bool(match["options"])))
    except ValueError:
        return None
    if not all(name in _OPTIONS and _OPTIONS[name].fullmatch(value) for name, value in options.items()):
        return None
    return ModelReference(match["name"], "", kind, match["adapter"] or "", options)


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


_READERS: Mapping[str, Callable[[Any, str], ModelReference | None]] = dict(
    zip(get_args(Kind), (_named, _local, _endpoint, _provider, _named, _url), strict=True)
)
