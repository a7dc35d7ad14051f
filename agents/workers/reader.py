"""A worker that is only shown what it can read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from agents.modalities import modalities_of, readable, refusal
from agents.types import Worker, WorkerAnswer, WorkerRequest


@dataclass(frozen=True, slots=True)
class Reader:
    """Refuses attachments that the worker does not declare, rather than answer as if they were not there.

    Attributes:
        node: the worker's name, for messages.
        worker: what answers.
        modalities: what it reads beside text.
    """

    node: str
    worker: Worker
    modalities: frozenset[str] = frozenset()

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """The worker's answer; `declined` where it cannot read what is attached."""
        lacking = modalities_of(request.attachments) - self.modalities
        if lacking:
            return WorkerAnswer("declined", refusal(self.node, lacking), {"attached": sorted(lacking)})
        earlier = tuple(readable(message, self.modalities) for message in request.conversation)
        return await self.worker.answer(replace(request, conversation=earlier))
