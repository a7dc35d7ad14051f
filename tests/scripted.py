"""Scripted stand-ins for what is decided and answered, where only the graph is under test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_core.messages import BaseMessage

from agents.types import Decision, FunctionalToken, NodeName, Step, WorkerAnswer, WorkerRequest


def route_to(node: str, token: str, *, probability: float = 0.9, rewritten: str = "as asked") -> Decision:
    """A route to `node`."""
    return Decision(
        NodeName(node), FunctionalToken(token), probability, rewritten, f"{node} fits.", "token", True, ()
    )


ABSTAIN = Decision(None, None, 0.2, "", "Nothing fits. Say more.", "ask", False, ())

END_OF_WALK = Decision(
    None, FunctionalToken("<nexa_end>"), 0.8, "", "The question is answered.", "token", True, ()
)


@dataclass
class ScriptedOctopus:
    """Plays its routes in order, the last one for ever; keeps the conversations it was shown."""

    routes: list[Decision]
    seen: list[list[str]] = field(default_factory=list)

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        """The next route."""
        self.seen.append([str(message.text) for message in conversation])
        return self.routes[min(len(self.seen), len(self.routes)) - 1]


@dataclass
class ScriptedWorker:
    """Plays its answers in order, the last one for ever; an exception among them is raised."""

    answers: list[WorkerAnswer | BaseException] = field(
        default_factory=lambda: [WorkerAnswer("answered", "42", {"by": "script"})]
    )
    requests: list[WorkerRequest] = field(default_factory=list)

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """The next answer."""
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def reads(self, question: str) -> str:
        """The name of a tool that reads everything."""
        return "script"
