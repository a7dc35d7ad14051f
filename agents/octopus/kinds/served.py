"""Name models on servers that route: `ENGINE:MODEL[#ADAPTER]@URL[,URL]`, a class for each engine.

A new engine is a class here, listed in `SERVED`, and what speaks its wire format in agents/octopus/served/.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from agents.errors import SpecError
from agents.octopus.kinds.reference import OctopusParts, OctopusReference
from agents.redaction import bare_urls
from agents.types import Octopus

if TYPE_CHECKING:
    from agents.octopus.causal.manifest import CallFormat
    from agents.octopus.served.http import Replicas
    from agents.octopus.served.octopus import Scorer
    from agents.octopus.served.scorers import ChatEngine, TokenEngine
    from agents.octopus.served.token_ids import TokenIds

_FORM = re.compile(r"(?P<model>[^#\s]+?)(?:#(?P<adapter>[^#@\s]+))?@(?P<urls>https?://\S+)")
_TIMEOUT = 30.0  # seconds for one request


@dataclass(frozen=True)
class ServedReference(OctopusReference):
    """Name a model on a server that routes.

    Attributes:
        takes_adapter: whether its server speaks with LoRA adapters.
        below_v1: whether what it is asked lies below the `/v1` of its URL.
        model: the base model's name there.
        adapter: name of the LoRA adapter; "" asks the base.
        urls: of the replicas, in the order in which they are asked.
    """

    takes_adapter: ClassVar[bool] = False
    below_v1: ClassVar[bool] = False

    model: str
    adapter: str
    urls: tuple[str, ...]

    @classmethod
    def parse(cls, rest: str) -> Self | None:
        """Read `MODEL[#ADAPTER]@URL[,URL]`; return None if it has another form.

        Raises:
            SpecError: it has an adapter, and the server takes none.
        """
        match = _FORM.fullmatch(rest)
        urls = tuple(url.rstrip("/") for url in match["urls"].split(",")) if match else ()
        if match is None or not all(map(_has_host, urls)):
            return None
        if match["adapter"] and not cls.takes_adapter:
            raise SpecError(
                f"the octopus {bare_urls(rest)!r} has an adapter, which {cls.kind} does not take.",
                hint="Leave it out, or serve it with vllm, sglang or lorax.",
            )
        return cls(match["model"], match["adapter"] or "", urls)

    @abstractmethod
    def scorer(self, calls: CallFormat, timeout: float = _TIMEOUT) -> Scorer:
        """Build what scores candidates; send nothing."""

    def connect(self, parts: OctopusParts) -> Octopus:
        """Build the Octopus that asks the server, beside the encoder's, which reads follow-ups for it."""
        from agents.octopus.causal.manifest import CallFormat
        from agents.octopus.served.octopus import RemoteOctopus

        calls = CallFormat.read(parts.served, parts.name) if parts.served else CallFormat()
        return RemoteOctopus(
            parts.name,
            list(parts.edges.values()),
            self.scorer(calls),
            threshold=calls.threshold if parts.threshold is None else parts.threshold,
            temperature=calls.temperature,
            abstains=calls.abstains,
            generalist=parts.generalist,
            parent=parts.parent,
            fallback=parts.encoder_octopus() if parts.fallback else None,
            read=lambda turns: parts.encoder_octopus().read(turns),
            nearest_example=lambda query: parts.encoder_octopus().nearest_example(query),
            on_choice=parts.on_choice,
        )

    def reachable(self) -> bool:
        """Return whether any replica answers."""
        from agents.octopus.served.http import answers

        return any(map(answers, self.urls))

    def replicas(self, timeout: float) -> Replicas:
        """Return the servers; only OpenAI's wire format lives below the `/v1` of their URLs."""
        from agents.octopus.served.http import Replicas

        below = "" if self.below_v1 else "/v1"
        return Replicas([url.removesuffix(below) for url in self.urls], timeout)

    def __str__(self) -> str:
        adapter = f" with the adapter {self.adapter!r}" if self.adapter else ""
        return f"{self.model!r}{adapter} on {self.kind} at {', '.join(map(bare_urls, self.urls))}"


class FunctionalReference(ServedReference):
    """Name a served model with functional tokens, perhaps with an adapter for each routing node."""

    takes_adapter = True

    @abstractmethod
    def engine(self, replicas: Replicas) -> TokenEngine:
        """Build what speaks the server's wire format."""

    def ids(self, replicas: Replicas) -> TokenIds:
        """Return the ids of the model's tokens, looked up on the server."""
        from agents.octopus.served.token_ids import TokenIds

        return TokenIds(replicas, self.model)

    def scorer(self, calls: CallFormat, timeout: float = _TIMEOUT) -> Scorer:
        """Build what scores functional tokens."""
        from agents.octopus.served.scorers import FunctionalScorer

        return FunctionalScorer(self.engine(self.replicas(timeout)), calls)


class VllmReference(FunctionalReference):
    """Name a model on vLLM."""

    kind, form = "vllm", "vllm:MODEL[#ADAPTER]@URL"

    def engine(self, replicas: Replicas) -> TokenEngine:
        """Build vLLM's engine."""
        from agents.octopus.served.vllm import VllmEngine

        return VllmEngine(replicas, self.ids(replicas), self.adapter)


class SglangReference(FunctionalReference):
    """Name a model on SGLang."""

    kind, form = "sglang", "sglang:MODEL[#ADAPTER]@URL"

    def engine(self, replicas: Replicas) -> TokenEngine:
        """Build SGLang's engine."""
        from agents.octopus.served.sglang import SglangEngine

        return SglangEngine(replicas, self.ids(replicas), self.adapter)


class LoraxReference(FunctionalReference):
    """Name a model on LoRAX."""

    kind, form = "lorax", "lorax:MODEL[#ADAPTER]@URL"

    def engine(self, replicas: Replicas) -> TokenEngine:
        """Build LoRAX's engine."""
        from agents.octopus.served.lorax import LoraxEngine

        return LoraxEngine(replicas, self.adapter)


class LetterReference(ServedReference):
    """Name a served chat model that was never trained to route: it chooses among letters."""

    @abstractmethod
    def engine(self, replicas: Replicas) -> ChatEngine:
        """Build what speaks the server's wire format."""

    def scorer(self, calls: CallFormat, timeout: float = _TIMEOUT) -> Scorer:
        """Build what scores letters."""
        from agents.octopus.served.scorers import LabelScorer

        return LabelScorer(self.engine(self.replicas(timeout)))


class OpenAIReference(LetterReference):
    """Name a chat model on any OpenAI-compatible server; its URL ends in `/v1`."""

    kind, form = "openai", "openai:MODEL@URL"
    below_v1 = True

    def engine(self, replicas: Replicas) -> ChatEngine:
        """Build the engine of OpenAI's wire format."""
        from agents.octopus.served.chat_servers import OpenAIChatEngine

        return OpenAIChatEngine(replicas, self.model)


class OllamaReference(LetterReference):
    """Name a chat model on Ollama."""

    kind, form = "ollama", "ollama:MODEL@URL"

    def engine(self, replicas: Replicas) -> ChatEngine:
        """Build Ollama's engine."""
        from agents.octopus.served.chat_servers import OllamaEngine

        return OllamaEngine(replicas, self.model)


class LlamaCppReference(LetterReference):
    """Name the chat model of a llama.cpp server."""

    kind, form = "llama.cpp", "llama.cpp:MODEL@URL"

    def engine(self, replicas: Replicas) -> ChatEngine:
        """Build the engine of llama.cpp's server."""
        from agents.octopus.served.chat_servers import LlamaCppEngine

        return LlamaCppEngine(replicas)


SERVED: tuple[type[ServedReference], ...] = (
    VllmReference,
    SglangReference,
    LoraxReference,
    OpenAIReference,
    OllamaReference,
    LlamaCppReference,
)


def _has_host(url: str) -> bool:
    try:
        return url.startswith(("http://", "https://")) and bool(urlsplit(url).hostname)
    except ValueError:
        return False
