"""Answer as a spec describes a worker: with its tools when they fit the query, else with its model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from agents.modalities import modalities_of, readable, refusal
from agents.types import Worker, WorkerAnswer, WorkerRequest, failure
from agents.workers.models.reference import HOW_TO_CONNECT, Warmable


class Computing(Worker, Protocol):
    """Answer with tools that read the whole question."""

    def reads(self, question: str) -> str:
        """Return the tool that reads the whole question; "" if none does."""
        ...


@dataclass
class Specialist:
    """Ask the tools first, because a computed answer can be trusted; then the model. Invent nothing.

    Attributes:
        node: the worker's name, for messages.
        tools: the tool agent, if the spec names tools.
        model: the language model, if one is connected.
        recommended: a model that the spec's author would serve here.
    """

    node: str
    tools: Computing | None = None
    model: Worker | None = None
    recommended: str = ""

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer with the first part that can."""
        # Tools read text only: they would answer as if nothing were attached. And they compute: where words
        # are asked for, there is nothing for them to read.
        reads = request.readings is None or len(request.readings) > 0
        words = not request.attachments and not request.since
        computes = reads and words and not request.generation.needs_model
        declined = await self.tools.answer(request) if self.tools and computes else None
        if declined is not None and declined.status == "answered":
            return declined
        if self.model is not None:
            return await self.model.answer(request)
        evidence = dict(declined.evidence) if declined else {}
        text = self._connect(evidence.get("error", ""))
        return WorkerAnswer("unavailable", text, evidence | self._suited, failure=failure("no_model"))

    @property
    def speaks(self) -> bool:
        """Return whether a model is connected."""
        return self.model is not None

    def reads(self, question: str) -> str:
        """Return the tool that reads the whole question; "" if none does."""
        return self.tools.reads(question) if self.tools else ""

    def warm(self) -> None:
        """Begin to load the model."""
        if isinstance(self.model, Warmable):
            self.model.warm()

    @property
    def _suited(self) -> dict[str, str]:
        return {"recommended": self.recommended} if self.recommended else {}

    def _connect(self, error: str) -> str:
        why = (
            f"its tools cannot compute this: {error.rstrip('.')}" if error else "no model is connected to it"
        )
        return f"{self.node} was chosen, but {why}. {HOW_TO_CONNECT}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Show a worker only what it reads, so that it does not answer as if nothing were attached.

    Attributes:
        node: the worker's name, for messages.
        worker: what answers.
        modalities: what it reads besides text.
    """

    node: str
    worker: Worker
    modalities: frozenset[str] = frozenset()

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer with the worker; `declined` where it cannot read what is attached."""
        lacking = modalities_of(request.attachments) - self.modalities
        if lacking:
            return WorkerAnswer("declined", refusal(self.node, lacking), {"attached": sorted(lacking)})
        earlier = tuple(readable(message, self.modalities) for message in request.conversation)
        return await self.worker.answer(replace(request, conversation=earlier))
