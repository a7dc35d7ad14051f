"""A worker as a spec describes it: its tools when they fit the query, else its model."""

from __future__ import annotations

from dataclasses import dataclass

from agents.types import Worker, WorkerAnswer, WorkerRequest
from agents.workers.models.language_model import HOW_TO_CONNECT


@dataclass
class Specialist:
    """Tools first, because a computed answer can be trusted; then the model; never an invented answer.

    Attributes:
        node: the worker's name, for messages.
        tools: the tool agent, if the spec names tools.
        model: the language model, if one is connected.
        recommended: a model that the spec's author would serve here.
    """

    node: str
    tools: Worker | None = None
    model: Worker | None = None
    recommended: str = ""

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer with the first part that can."""
        # Tools read text only: they would answer as if nothing were attached.
        declined = await self.tools.answer(request) if self.tools and not request.attachments else None
        if declined is not None and declined.status == "answered":
            return declined
        if self.model is not None:
            return await self.model.answer(request)
        return WorkerAnswer(
            "unavailable",
            self._connect(declined.text if declined else ""),
            declined.evidence if declined else {},
        )

    def _connect(self, declined: str) -> str:
        without = f" Its tools cannot answer this: {declined}" if declined else ""
        suited = f" A model that suits it: {self.recommended}." if self.recommended else ""
        return f"{self.node} was chosen, but no model is connected to it.{without}{suited} {HOW_TO_CONNECT}"
