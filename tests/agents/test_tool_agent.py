"""The tool agent: choice, arguments, sandbox and answer together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from agents.types import Choice, FunctionalToken, NodeName, WorkerRequest
from agents.workers.tool_agent import ToolAgent
from tools.declaration import ToolFunction
from tools.registry import functions
from tools.sandbox import Sandbox


class InOrder:
    """Ranks functions in the order given, so that only the reading of the arguments decides."""

    def __init__(self, offered: Sequence[ToolFunction]) -> None:
        self.names = [function.name for function in offered]

    def rank(self, query: str) -> Sequence[Choice]:
        probability = 1 / len(self.names)
        return [
            Choice(FunctionalToken(f"<nexa_{slot}>"), NodeName(name), probability)
            for slot, name in enumerate(self.names)
        ]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as one:
        yield one


def agent(sandbox: Sandbox, *names: str) -> ToolAgent:
    offered = functions(*names)
    return ToolAgent(offered, InOrder(offered), sandbox)


async def test_derivative_at_a_point(sandbox: Sandbox) -> None:
    query = "Tell me the result of derivative of x^3 when x is 2?"
    answer = await agent(sandbox, "calculus").answer(WorkerRequest(query))
    assert answer.status == "answered"
    assert answer.text.startswith("12\n")
    assert answer.evidence == {
        "function": "calculus.derivative",
        "arguments": {"expression": "x^3", "at": "2"},
        "result": 12,
    }


async def test_what_does_not_fit_is_declined(sandbox: Sandbox) -> None:
    answer = await agent(sandbox, "calculus").answer(WorkerRequest("What is the derivatives market?"))
    assert answer.status == "declined"
    assert "function" not in answer.evidence
