"""Which model on a server routes: `ENGINE:MODEL@URL`, one line in a spec or in OCTOPUS_ROUTER."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from agents.errors import SpecError
from agents.redaction import bare_urls
from agents.types import NodeName

Engine = Literal["vllm", "sglang", "lorax", "openai", "ollama", "llama.cpp"]

WITH_ADAPTERS: frozenset[Engine] = frozenset({"vllm", "sglang", "lorax"})
_FORM = re.compile(
    r"(?P<engine>[a-z.]+):(?P<model>[^#\s]+?)(?:#(?P<adapter>[^#@\s]+))?@(?P<urls>https?://\S+)"
)


@dataclass(frozen=True, slots=True)
class RouterReference:
    """A model that routes, and the replicas of its server.

    Attributes:
        engine: what the server is; it decides the wire format.
        model: the base model's name there.
        adapter: name of the LoRA adapter; "" asks the base.
        urls: of the replicas, in the order in which they are asked.
    """

    engine: Engine
    model: str
    adapter: str
    urls: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, master: NodeName) -> RouterReference:
        """Read `ENGINE:MODEL[#ADAPTER]@URL[,URL]`; `{master}` in it stands for the master's name.

        Raises:
            SpecError: it has another form.
        """
        match = _FORM.fullmatch(text.strip().replace("{master}", master))
        urls = tuple(url.rstrip("/") for url in match["urls"].split(",")) if match else ()
        engines = get_args(Engine)
        if match is None or match["engine"] not in engines or not all(map(_has_host, urls)):
            raise SpecError(
                f"the octopus {bare_urls(text)!r} is not understood.",
                hint=f"Write ENGINE:MODEL@URL with one of {', '.join(engines)}; "
                "e.g. vllm:octopus-base#{master}@http://localhost:8000 (an adapter for each master).",
            )
        engine = cast(Engine, match["engine"])
        if match["adapter"] and engine not in WITH_ADAPTERS:
            raise SpecError(
                f"the octopus {bare_urls(text)!r} has an adapter, which {engine} does not take.",
                hint=f"Leave it out, or serve it with one of {', '.join(sorted(WITH_ADAPTERS))}.",
            )
        return cls(engine, match["model"], match["adapter"] or "", urls)

    def __str__(self) -> str:
        adapter = f" with the adapter {self.adapter!r}" if self.adapter else ""
        return f"{self.model!r}{adapter} on {self.engine} at {', '.join(map(bare_urls, self.urls))}"


def _has_host(url: str) -> bool:
    try:
        return url.startswith(("http://", "https://")) and bool(urlsplit(url).hostname)
    except ValueError:
        return False
