"""Connect the models of a graph: workers by reference, and Octopuses on servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agents.errors import SpecError
from agents.redaction import bare_urls
from agents.types import NodeName, Worker
from agents.workers.kinds import connect, parse_reference
from agents.workers.models.manager import ModelManager
from agents.workers.models.reference import Connection, Warmable
from app.settings import Settings
from graphs.spec import GraphSpec, WorkerSpec

if TYPE_CHECKING:
    from agents.workers.models.local_model import LocalModel
    from agents.workers.models.reference import FunctionChooser
    from tools.declaration import ToolFunction


@dataclass
class ModelWiring:
    """Connect the models of one graph.

    Attributes:
        spec: the graph.
        settings: what the environment says.
        make_chooser: builds what ranks the tools of an MCP server.
        shared: loads local models; None makes one.
    """

    spec: GraphSpec
    settings: Settings
    make_chooser: Callable[[Sequence[ToolFunction]], FunctionChooser]
    shared: ModelManager[LocalModel] | None = None
    _connected: dict[str, Worker] = field(default_factory=dict, init=False)

    @cached_property
    def manager(self) -> ModelManager[LocalModel]:
        """Return what loads local models; graphs within this one share it."""
        return self.shared or ModelManager(self.settings.model_memory)

    @property
    def folder(self) -> Path:
        """Return where local models are looked for first: beside the spec."""
        return Path(self.spec.source).parent

    def worker(self, name: NodeName, spec: WorkerSpec) -> Worker | None:
        """Build the worker of its own model, or of the general one; return None if neither is set.

        Raises:
            SpecError: the reference is not understood, or its kind cannot read what the worker declares.
        """
        reference = spec.model or self.settings.model
        if not reference:
            return None
        if spec.model and spec.modalities and parse_reference(spec.model).text_only:
            raise SpecError(
                f"{self.spec.source}: worker {name!r} declares {', '.join(spec.modalities)}, but "
                f"{bare_urls(spec.model)!r} reads text only.",
                hint="Serve such a model, and write openai:NAME@URL or provider:PROVIDER:NAME.",
            )
        summarises = spec.overflow == "summary"
        given = self.given(name, prompt=spec.prompt, window=spec.window, summarises=summarises)
        return self.connect(reference, given)

    def given(
        self, name: str, *, prompt: str = "", window: int | None = None, summarises: bool = False
    ) -> Connection:
        """Return what a worker of this graph is built with."""
        general = self.settings.model
        return Connection(
            name,
            prompt,
            window,
            summarises,
            folder=self.folder,
            manager=self.manager,
            make_chooser=self.make_chooser,
            general=parse_reference(general) if general else None,
        )

    def connect(self, reference: str, given: Connection) -> Worker:
        """Build the worker of a reference, to be warmed by its name.

        Raises:
            SpecError: it is not understood.
        """
        self._connected[given.name] = worker = connect(reference, given)
        return worker

    def warm(self, name: NodeName) -> None:
        """Begin to load the model of a worker that was chosen."""
        worker = self._connected.get(name)
        if isinstance(worker, Warmable):
            worker.warm()

    def close(self) -> None:
        """Unload local models."""
        if "manager" in self.__dict__:
            self.manager.close()
