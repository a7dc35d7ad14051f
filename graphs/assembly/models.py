"""The part of the wiring that connects models: workers by reference, and Octopuses on servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agents.errors import SpecError
from agents.redaction import bare_urls
from agents.types import NodeName, Worker
from app.settings import Settings
from graphs.spec import GraphSpec, WorkerSpec

if TYPE_CHECKING:
    from agents.workers.mcp_agent import MakeChooser
    from agents.workers.models.local_model import LocalModel
    from agents.workers.models.manager import ModelManager
    from agents.workers.models.reference import ModelReference


@dataclass
class ModelWiring:
    """Connects the models of one graph.

    Attributes:
        spec: the graph.
        settings: what the environment says.
        make_chooser: ranks the tools of an MCP server.
        shared: of local models; None makes one when it is needed.
    """

    spec: GraphSpec
    settings: Settings
    make_chooser: MakeChooser
    shared: ModelManager[LocalModel] | None = None
    _warm: dict[NodeName, Callable[[], None]] = field(default_factory=dict, init=False)

    @cached_property
    def manager(self) -> ModelManager[LocalModel]:
        """Of all local models; graphs within this one share it."""
        if self.shared is not None:
            return self.shared
        from agents.workers.models.manager import ModelManager

        return ModelManager(self.settings.model_memory)

    def worker(self, name: NodeName, spec: WorkerSpec) -> Worker | None:
        """The worker's own model, or the general one; None if neither is set.

        Raises:
            SpecError: the reference is not understood, or its kind cannot read what the worker declares.
        """
        reference = spec.model or self.settings.model
        if not reference:
            return None
        from agents.workers.models.language_model import LanguageModel

        worker = self.connect(name, reference, spec.prompt)
        if isinstance(worker, LanguageModel):
            worker.window, worker.summarises = spec.window, spec.overflow == "summary"
        if spec.model and spec.modalities and spec.model.startswith(("hf:", "mcp:")):
            raise SpecError(
                f"{self.spec.source}: worker {name!r} declares {', '.join(spec.modalities)}, but "
                f"{bare_urls(spec.model)!r} reads text only.",
                hint="Serve such a model, and write openai:NAME@URL or provider:PROVIDER:NAME.",
            )
        return worker

    def connect(self, name: NodeName, text: str, prompt: str, silent: bool = False) -> Worker:
        """What a reference stands for.

        Args:
            name: the worker's, for messages.
            text: the reference.
            prompt: system prompt.
            silent: whether what it writes is not for the user's eyes.

        Raises:
            SpecError: it is not understood.
        """
        from agents.workers.models.reference import ModelReference

        reference = ModelReference.parse(text)
        if reference.kind == "remote-graph":
            from agents.workers.remote_graph import RemoteGraphWorker

            return RemoteGraphWorker(name, reference)
        if reference.kind == "mcp":
            from agents.workers.mcp_agent import McpAgent

            general = self.settings.model
            asks = general is not None and not general.startswith("mcp:")
            fills = self.connect(name, general, "", silent=True) if general and asks else None
            return McpAgent(name, reference, self.make_chooser, fills)
        from agents.workers.models.language_model import LanguageModel

        local = reference.kind == "hf"
        manager = self.manager if local else None
        reference = self.local(reference) if local else reference
        model = LanguageModel(name, reference, prompt, manager=manager, silent=silent)
        self._warm[name] = model.warm
        return model

    def local(self, reference: ModelReference) -> ModelReference:
        """A reference to a local model, with its folders found beside the spec."""
        beside = self._beside
        return replace(reference, name=beside(reference.name), adapter=beside(reference.adapter))

    def warm(self, name: NodeName) -> None:
        """Begin to load the model of a worker that was chosen."""
        if start := self._warm.get(name):
            start()

    def close(self) -> None:
        """Unload local models."""
        if "manager" in self.__dict__:
            self.manager.close()

    def _beside(self, name: str) -> str:
        """A folder beside the spec goes before one of the working directory, and before the Hub."""
        beside = Path(self.spec.source).parent / name
        return str(beside) if name and beside.is_dir() else name
