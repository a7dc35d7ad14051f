"""Define references to models: `KIND:…`, one line in a spec or in OCTOPUS_MODEL.

Each kind is a class that parses, connects and checks; agents/workers/kinds.py lists the kinds.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, runtime_checkable
from urllib.parse import urlsplit

from agents.redaction import bare_urls
from agents.types import Choice, Worker

if TYPE_CHECKING:
    from agents.workers.models.manager import ModelManager
    from agents.workers.models.tool_calling import Tools
    from tools.declaration import ToolFunction

CODE = re.compile(r"python:(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<name>[A-Za-z_]\w*(?:\.\w+)*)")
HOW_TO_CONNECT = (
    "OCTOPUS_MODEL=auto takes a model of this machine, OCTOPUS_MODEL=openai:NAME@URL any other; "
    "`octopus doctor` shows which servers answer here."
)
NAME_AT_URL = re.compile(r"(?P<name>[^@\s]+(?:@[^@\s]+)*)@(?P<url>https?://\S+)")


@runtime_checkable
class Warmable(Protocol):
    """Describe a worker that can prepare for a query before the query is written."""

    def warm(self) -> None:
        """Begin to load what the worker needs; return at once."""
        ...


class FunctionChooser(Protocol):
    """Rank the functions of one worker for a question."""

    def rank(self, query: str) -> Sequence[Choice]:
        """Rank all functions, best first; the `node` of a choice is the name, `subject.function`."""
        ...

    def fit(self, query: str) -> float:
        """Return the probability that any of them fits."""
        ...


@dataclass(frozen=True)
class Connection:
    """Hold what a worker is built with, besides its reference.

    Attributes:
        name: of the worker, for messages.
        prompt: system prompt; "" sends none.
        window: tokens of prompt and answer; None takes what the model says, or what a server names when it
            refuses a prompt as too long.
        summarises: whether turns that do not fit are summarised, by one more call, rather than left out.
        silent: whether what the model writes is not for the user's eyes.
        timeout: seconds without a word from the server.
        total: seconds for an answer, with what is asked again.
        retries: how often a failed request is sent again.
        folder: where the folders of local models are looked for first; as a rule that of the spec.
        manager: loads local models; all workers share it.
        make_chooser: builds what ranks the tools of an MCP server.
        general: the model of workers without their own; it fills in arguments of MCP tools.
        tools: what the model may call.
    """

    name: str
    prompt: str = ""
    window: int | None = None
    summarises: bool = False
    silent: bool = False
    timeout: float = 60.0
    total: float = 600.0
    retries: int = 2
    folder: Path | None = None
    manager: ModelManager[Any] | None = None
    make_chooser: Callable[[Sequence[ToolFunction]], FunctionChooser] | None = None
    general: ModelReference | None = None
    tools: Tools | None = None


Sends = Literal["query", "conversation"]
"""Say what of a conversation leaves the graph: the question alone, or the turns before it too."""


@dataclass(frozen=True)
class ModelReference(ABC):
    """Name a model, an agent or a server of tools, and where it is.

    Attributes:
        kind: the word before the first colon.
        form: how such a reference is written, for messages.
        pattern: of what follows `KIND:`; its groups are named as the attributes.
        text_only: whether its workers cannot read images and audio.
        calls_tools: whether its workers call tools that they are given.
        sends: what its workers are given, if their spec does not say.
        health: the path below `url` that is asked whether the server is there.
        name: of the model, its repository or folder; of a remote graph its id; "" for an MCP server.
        url: base URL of the server; "" for a model without one.
        adapter: repository or folder of a LoRA adapter, for local models.
        options: `dtype`, `device` and `load`, as far as given, for local models.
    """

    kind: ClassVar[str]
    form: ClassVar[str]
    pattern: ClassVar[re.Pattern[str]]
    text_only: ClassVar[bool] = False
    calls_tools: ClassVar[bool] = False
    sends: ClassVar[Sends] = "query"
    health: ClassVar[str] = ""

    name: str = ""
    url: str = ""
    adapter: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, rest: str) -> Self | None:
        """Read what follows `KIND:`; return None if it has another form."""
        match = cls.pattern.fullmatch(rest)
        found: dict[str, Any] = {key: own for key, own in match.groupdict().items() if own} if match else {}
        return cls(**found) if found and _has_host(found.get("url", "http://none")) else None

    @abstractmethod
    def connect(self, given: Connection) -> Worker:
        """Build the worker; load nothing and send nothing."""

    def reachable(self) -> bool:
        """Return whether a server answers at `url`, if there is one; blocking."""
        from agents.octopus.served.http import answers

        return not self.url or answers(f"{self.url.rstrip('/')}{self.health}")

    def trouble(self) -> str:
        """Say why the model cannot be asked now, "" where nothing speaks against it; blocking."""
        return "" if self.reachable() else f"{self.shown} does not answer"

    def found(self) -> ModelReference:
        """Return the reference itself, or the one that a name stands for on this machine; may block.

        Raises:
            ModelUnavailableError: no server here has such a model.
        """
        return self

    def __str__(self) -> str:
        where = f" at {self.shown}" if self.url else ""
        adapter = f" with the adapter {self.adapter!r}" if self.adapter else ""
        return f"{self.name!r}{adapter}{where}" if self.name else self.shown

    @property
    def shown(self) -> str:
        """Return the URL without a password or query, which may be a key."""
        return bare_urls(self.url)


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False
