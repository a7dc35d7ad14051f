"""List the kinds of model references, and build workers from references of any kind.

A new kind is a subclass of `ModelReference` in a file of its own, and an entry in `_KINDS`. What begins with
no kind is the name of a model on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agents.errors import SpecError
from agents.redaction import bare_urls
from agents.types import Worker
from agents.workers.mcp_agent import McpReference
from agents.workers.models.clients import (
    EndpointReference,
    LocalReference,
    OpenAIReference,
    ProviderReference,
)
from agents.workers.models.named import SERVERS, NamedReference
from agents.workers.models.reference import Connection, ModelReference
from agents.workers.remote_graph import RemoteGraphReference

_KINDS: tuple[type[ModelReference], ...] = (
    OpenAIReference,
    *SERVERS,
    LocalReference,
    EndpointReference,
    ProviderReference,
    RemoteGraphReference,
    McpReference,
)
_SPELT_OTHERWISE = {"llama.cpp": "llamacpp"}  # as among the Octopuses
KINDS: Mapping[str, type[ModelReference]] = MappingProxyType({one.kind: one for one in _KINDS})


def parse_reference(text: str) -> ModelReference:
    """Read a reference of any kind.

    Raises:
        SpecError: the kind is unknown, or what follows it has another form.
    """
    kind, _, rest = text.strip().partition(":")
    kind = _SPELT_OTHERWISE.get(kind, kind)
    found = KINDS[kind].parse(rest) if kind in KINDS else NamedReference.parse(text.strip())
    if found is None:
        forms = [KINDS[kind].form] if kind in KINDS else [NamedReference.form, *(one.form for one in _KINDS)]
        raise SpecError(
            f"the model {bare_urls(text)!r} is not understood.",
            hint=f"Write {'; '.join(forms)}; e.g. openai:llama3.2@http://localhost:11434/v1.",
        )
    return found


def connect(text: str, given: Connection) -> Worker:
    """Build the worker that the reference `text` stands for; load nothing and send nothing.

    Raises:
        SpecError: the reference is not understood, or its kind needs what is not given.
    """
    return parse_reference(text).connect(given)
