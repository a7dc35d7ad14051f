"""The tool agent: the second layer of abstraction, where one function is chosen by its functional token.

Source: Octopus v2 (arXiv 2404.01744), a functional token per function. The arguments are read from the
question by
parsers of their types, not generated; what they cannot read without guessing is declined.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from agents.types import AnswerStatus, Choice, WorkerAnswer, WorkerRequest
from agents.workers.distribution import distributed
from tools.declaration import ToolFunction
from tools.errors import ToolError
from tools.reading import NotAskedError, UnreadError, read_arguments
from tools.sandbox import Sandbox

_MOST_CALLS = 16

Call = tuple[ToolFunction, Mapping[str, Any]]


class FunctionChooser(Protocol):
    """Ranks the functions of one worker for a question."""

    def rank(self, query: str) -> Sequence[Choice]:
        """The functions, best first; the `node` of a choice is the function's name, `subject.function`."""
        ...


class ToolAgent:
    """A worker that answers with a function of tools/.

    Args:
        functions: what it may call, from `tools.registry.functions`.
        chooser: ranks these functions.
        sandbox: where they run; workers may share one.
        attempts: how many of the ranked functions are tried.
        floor: the probability below which a function is not tried.

    Raises:
        ValueError: if there are no functions, or `attempts` is less than 1.
    """

    def __init__(
        self,
        functions: Sequence[ToolFunction],
        chooser: FunctionChooser,
        sandbox: Sandbox,
        *,
        attempts: int = 10,
        floor: float = 0.01,
    ) -> None:
        if not functions:
            raise ValueError("A tool agent needs at least one function.")
        if attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {attempts!r}.")
        self._functions = {function.name: function for function in functions}
        self._chooser = chooser
        self._sandbox = sandbox
        self._attempts = attempts
        self._floor = floor

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer with a function's result, or decline and say what could not be read or computed.

        A question that no function takes as a whole may ask for several calls, which then run in parallel.
        """
        question = request.question or request.query
        called, unread = await asyncio.to_thread(self._choose, question)
        if called is not None:
            return await self._compute(*called)
        if (several := await asyncio.to_thread(self._several, question)) is not None:
            return await self._compute_all(several)
        reason = next((f"{name}: {text}" for name, text in unread.items()), "None fits the question.")
        return WorkerAnswer("declined", f"No function was called. {reason}", {"unread": unread})

    def _several(self, question: str) -> dict[str, Call] | None:
        """A call for each question that `question` asks at once; None unless all can be read."""
        calls: dict[str, Call] = {}
        asked = distributed(question)
        if not 1 < len(asked) <= _MOST_CALLS:
            return None
        for one in asked:
            called, _ = self._choose(one)
            if called is None:
                return None
            calls[one] = called
        return calls

    async def _compute_all(self, calls: Mapping[str, Call]) -> WorkerAnswer:
        answers = await asyncio.gather(*(self._compute(*call) for call in calls.values()))
        text = "\n\n".join(f"{one}\n{answer.text}" for one, answer in zip(calls, answers, strict=True))
        status: AnswerStatus = "answered" if all(a.status == "answered" for a in answers) else "declined"
        evidence = {"calls": [answer.evidence for answer in answers]}
        return WorkerAnswer(status, text, evidence)

    def _choose(self, query: str) -> tuple[Call | None, dict[str, str]]:
        """The best function whose arguments can be read, and what could not be read of those before it."""
        unread: dict[str, str] = {}
        for choice in self._chooser.rank(query)[: self._attempts]:
            if choice.probability < self._floor:
                break
            function = self._functions[choice.node]
            try:
                return (function, read_arguments(query, function)), unread
            except NotAskedError:
                continue
            except UnreadError as error:
                unread[function.name] = str(error)
        return None, unread

    async def _compute(self, function: ToolFunction, arguments: Mapping[str, Any]) -> WorkerAnswer:
        evidence: dict[str, Any] = {"function": function.name, "arguments": dict(arguments)}
        called = (
            f"{function.name}({', '.join(f'{name}={_shown(value)}' for name, value in arguments.items())})"
        )
        try:
            result = await self._sandbox.call(function.name, arguments)
        except ToolError as error:
            return WorkerAnswer(
                "declined", f"{error}\nTried with {called}.", evidence | {"error": str(error)}
            )
        return WorkerAnswer(
            "answered", f"{_shown(result)}\nComputed with {called}.", evidence | {"result": result}
        )


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
