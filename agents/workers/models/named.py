"""Name models by their server or by themselves: `ollama:NAME`, `NAME` where one server here has it, `auto`.

What a name stands for is looked up when the model is first asked, on this machine only (servers.py).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from pydantic import SecretStr

from agents.errors import ModelUnavailableError
from agents.settings import USUAL_PORTS
from agents.types import Worker, WorkerAnswer, WorkerRequest, failure
from agents.workers.models.clients import OpenAIReference
from agents.workers.models.listings import ServedModel, parameters_in, speciality
from agents.workers.models.reference import Connection, ModelReference, Sends
from agents.workers.models.servers import Server, completes, look, missing, there

AUTO = "auto"
_log = logging.getLogger("octopus.choices")


@dataclass(frozen=True)
class ServerReference(OpenAIReference):
    """Name a model on a server of a known kind; without a URL on this machine, at the kind's usual port.

    Attributes:
        keyless: whether the server is sent no key: it was found here, and never named.
    """

    # Names of files may have spaces inside.
    pattern = re.compile(r"(?P<name>[^@\s](?:[^@\r\n]|@(?!https?://))*)(?:@(?P<url>https?://\S+))?(?<!\s)")
    health = "/v1/models"

    keyless: bool = False

    @classmethod
    def parse(cls, rest: str) -> Self | None:
        """Read `NAME` or `NAME@URL`; a `/v1` at the end of the URL goes without saying."""
        found = super().parse(rest)
        if found is None:
            return None
        url = found.url.rstrip("/").removesuffix("/v1").rstrip("/")
        return replace(found, url=url or f"http://127.0.0.1:{USUAL_PORTS[cls.kind]}")

    @property
    def base_url(self) -> str:
        """Return the URL below which OpenAI's protocol is spoken."""
        return f"{self.url}/v1"

    @property
    def secret(self) -> SecretStr | None:
        """Return the key that the server is sent."""
        return None if self.keyless else super().secret


class OllamaReference(ServerReference):
    """Name a chat model on Ollama."""

    kind, form = "ollama", "ollama:NAME[@URL]"


class LMStudioReference(ServerReference):
    """Name a chat model on LM Studio."""

    kind, form = "lmstudio", "lmstudio:NAME[@URL]"


class LlamaCppReference(ServerReference):
    """Name the chat model of a llama.cpp server."""

    kind, form = "llamacpp", "llamacpp:NAME[@URL]"


class VllmReference(ServerReference):
    """Name a chat model on vLLM; the one that routes is named in OCTOPUS_ROUTER or under `octopus:`."""

    kind, form = "vllm", "vllm:NAME[@URL]"


class JanReference(ServerReference):
    """Name a chat model on Jan."""

    kind, form = "jan", "jan:NAME[@URL]"


class SglangReference(ServerReference):
    """Name a chat model on SGLang."""

    kind, form = "sglang", "sglang:NAME[@URL]"


SERVERS = (
    OllamaReference,
    LMStudioReference,
    LlamaCppReference,
    VllmReference,
    JanReference,
    SglangReference,
)


@dataclass(frozen=True)
class NamedReference(ModelReference):
    """Name a model that one server of this machine has; `auto` is the one that suits best."""

    kind = "NAME"
    form = "NAME of a model on a server of this machine, or auto"
    pattern = re.compile(r"(?!none$)(?!\S*://)(?P<name>[^\s:@/?#=][^\s?#=]*)(?<![:@/])")
    sends: ClassVar[Sends] = "conversation"

    def connect(self, given: Connection) -> Worker:
        """Build the worker; it looks when it is asked."""
        return FoundModel(self, given)

    def reachable(self) -> bool:
        """Return whether the model is there."""
        return not self.trouble()

    def trouble(self) -> str:
        """Say that no server has the model, and what they have."""
        try:
            self.lookup()
        except ModelUnavailableError as error:
            return str(error)
        return ""

    def found(self) -> ModelReference:
        """Return the reference that the name stands for."""
        return self.lookup()[0]

    def lookup(self) -> tuple[ModelReference, str]:
        """Return the reference that the name stands for now, and why; blocking.

        Raises:
            ModelUnavailableError: no server here has such a model, or several have.
        """
        servers = look()
        if self.name == AUTO:
            server, model, why = best(servers)
        else:
            server, model = _having(self.name, servers)
            why = f"{model.name} on {server.title}"
        return _reference(server, model), why


@dataclass
class FoundModel:
    """Answer with the model that a name stands for; looked up when it is first asked, and after a failure."""

    reference: NamedReference
    given: Connection
    _worker: Worker | None = field(default=None, init=False)
    _why: str = field(default="", init=False)

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer; `unavailable` where no server has the model."""
        worker = self._worker
        if worker is None:
            try:
                found, why = await asyncio.to_thread(self.reference.lookup)
            except ModelUnavailableError as error:
                _log.warning("%s: %s", self.given.name, error)
                text = f"{self.given.name} was chosen, but its model {self.reference} is not on this machine."
                return WorkerAnswer("unavailable", text, failure=failure("no_model"))
            worker = self._worker = found.connect(self.given)
            if why != self._why:
                _log.info("%s", why)
            self._why = why
        answer = await worker.answer(request)
        if answer.status == "unavailable":
            self._worker = None
        return answer


def best(servers: Sequence[Server]) -> tuple[Server, ServedModel, str]:
    """Return the chat model that suits most questions, and why in a line.

    General models come before those for code, mathematics or pictures, loaded ones before others, then the
    largest; what is equal so far in the order of the servers, and by name. None runs elsewhere.

    Raises:
        ModelUnavailableError: there is none.
    """
    found = [(server, model) for server in servers for model in server.answering]
    order = sorted(found, key=lambda one: (*_rank(one[1]), servers.index(one[0]), one[1].name))
    for server, model in order:
        if server.kind != "ollama" or completes(server, model.name):
            return server, model, f"auto: {model.name} on {server.title}, {_why(model, order)}"
    raise ModelUnavailableError("there is no chat model for auto.", hint=there(servers))


def _rank(model: ServedModel) -> tuple[bool, bool, int]:
    return bool(speciality(model.name)), not model.loaded, -(size_of(model) or 0)


def size_of(model: ServedModel) -> int | None:
    """Return the parameters of a model, for comparisons: its server's number, else what its name says."""
    return model.parameters or parameters_in(model.name)


def _why(model: ServedModel, order: Sequence[tuple[Server, ServedModel]]) -> str:
    if len(order) == 1:
        return "the only chat model that answers here"
    what = speciality(model.name)
    group = [one for _, one in order if _rank(one)[:2] == _rank(model)[:2]]
    kind = "loaded" if model.loaded else "such" if what else "general"
    size = size_of(model)
    first = f"the largest ({size / 1e9:.3g}B)" if size else "the first"
    among = f"{first} of {len(group)} {kind} models" if len(group) > 1 else f"the only {kind} one"
    return f"made for {what}, as all others are not for everything: {among}" if what else among


def _having(name: str, servers: Sequence[Server]) -> tuple[Server, ServedModel]:
    others = (server for server in servers if server.kind != "octopus")
    found = [(server, model) for server in others if (model := server.named(name))]
    if not found:
        raise ModelUnavailableError(missing(name, servers))
    if len(found) > 1:
        forms = " or ".join(server.reference(model.name) for server, model in found)
        raise ModelUnavailableError(f"several servers have the model {name!r}.", hint=f"Write {forms}.")
    return found[0]


def _reference(server: Server, model: ServedModel) -> ModelReference:
    kinds: dict[str, type[ServerReference]] = {one.kind: one for one in SERVERS}
    return kinds.get(server.kind, ServerReference)(model.name, server.url, keyless=True)
