"""Answer with a function, chosen by its functional token: the second layer of abstraction.

Source: Octopus v2 (arXiv 2404.01744), a functional token per function. The arguments are read from the
question by parsers of their types, not generated; what they cannot read without guessing is declined.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from agents.octopus.calibration import softmax
from agents.octopus.conversation.compound import parts_of
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.zero_shot import Candidate, Scores, ZeroShotHead
from agents.octopus.tokens import slot_token
from agents.types import COMPUTED, AnswerStatus, Choice, NodeName, WorkerAnswer, WorkerRequest
from agents.workers.models.reference import FunctionChooser
from tools.declaration import ToolError, ToolFunction
from tools.reading import NotAskedError, UnreadError, may_ask, read_arguments
from tools.sandbox import Sandbox

_MOST_CALLS = 16
_TERM = r"[\w^*/+=().'’-]+"
_ITEM = rf"{_TERM}(?:\s+(?!and\b|or\b){_TERM}){{0,6}}"
_ITEMS = rf"(?P<items>{_ITEM}(?:\s*,\s*{_ITEM})*\s*,?\s+and\s+{_ITEM}?)"
# Only a plural says that several things are asked: "capital of France and Germany" is not clear, and
# "2 hours and 30 minutes" is one thing.
_OF_EACH = re.compile(
    rf"what are the (?P<noun>\w+(?:\s\w+)?s)\s+(?P<link>of|for|in)\s+{_ITEMS}\s*\??", re.IGNORECASE
)
_WHETHER = re.compile(rf"are\s+{_ITEMS}\s+(?P<kind>prime|leap year)(?:s| numbers)?\s*\??", re.IGNORECASE)
_REQUEST = re.compile(
    rf"(?P<verb>(?:please )?(?:factor|differentiate|integrate|simplify|expand|solve))\s+{_ITEMS}[.?]?",
    re.IGNORECASE,
)

Call = tuple[ToolFunction, Mapping[str, Any]]


@dataclass
class EncoderChooser:
    """Rank functions by their docstrings and examples, with the shared encoder.

    Attributes:
        functions: the worker's functions; the k-th has the token `<nexa_k>`.
        encoder: shared with the Octopus.
        build_head: embeds the functions, or takes them from a cache.
    """

    functions: Sequence[ToolFunction]
    encoder: Encoder
    build_head: Callable[[Sequence[Candidate]], ZeroShotHead]

    @cached_property
    def _head(self) -> ZeroShotHead:
        return self.build_head([Candidate(one.name, one.description, one.examples) for one in self.functions])

    def rank(self, query: str) -> Sequence[Choice]:
        """Rank all functions, best first."""
        probabilities = softmax(self._scores(query).logits)
        order = np.argsort(-probabilities, kind="stable")
        return [
            Choice(slot_token(int(k)), NodeName(self.functions[k].name), float(probabilities[k]))
            for k in order
        ]

    def fit(self, query: str) -> float:
        """Return the probability that any of them fits."""
        return self._scores(query).fit

    def _scores(self, query: str) -> Scores:
        return self._head.scores(query, self.encoder.embed([query])[0])


class ToolAgent:
    """Answer with a function of tools/.

    Args:
        functions: what it may call, from `tools.registry.functions`.
        chooser: ranks these functions.
        sandbox: where they run; workers may share one.
        attempts: of how many ranked functions it tells at most what could not be read.
        floor: the probability below which it tells nothing of a function.

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
        readings = (request.query,) if request.readings is None else request.readings
        refusal: WorkerAnswer | None = None
        for question in readings:
            answer = await self._answer(question)
            if answer is not None and answer.status == "answered":
                return answer
            refusal = refusal or answer
        unread = await asyncio.to_thread(self._unread, readings[0]) if readings and not refusal else {}
        return refusal or no_call("function", unread)

    async def _answer(self, question: str) -> WorkerAnswer | None:
        """Return what the tools make of a question, computed or refused; None if none reads all of it."""
        if (called := await asyncio.to_thread(self._choose, question)) is not None:
            return await self._compute(*called)
        several = await asyncio.to_thread(self._several, question)
        return await self._compute_all(several) if several else None

    @property
    def speaks(self) -> bool:
        """Return False: it computes."""
        return False

    def reads(self, question: str) -> str:
        """Return the name of the function that reads the whole question, or each of its parts; "" if none."""
        if called := self._choose(question):
            return called[0].name
        several = self._several(question)
        return next(iter(several.values()))[0].name if several else ""

    def _several(self, question: str) -> dict[str, Call] | None:
        """Read a call for each question that `question` asks at once; return None unless all can be read."""
        calls: dict[str, Call] = {}
        asked = distributed(question)
        if not 1 < len(asked) <= _MOST_CALLS:
            return None
        for one in asked:
            called = self._choose(one)
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

    def _choose(self, question: str) -> Call | None:
        """Return the function that reads the whole question; of several, the one ranked first."""
        read = {name: found for name in self._functions if (found := self._read(name, question)) is not None}
        if len(read) > 1:
            best = next(choice.node for choice in self._chooser.rank(question) if choice.node in read)
            return self._functions[best], read[best]
        return next(((self._functions[name], arguments) for name, arguments in read.items()), None)

    def _read(self, name: str, question: str) -> Mapping[str, Any] | None:
        function = self._functions[name]
        return _arguments(question, function, int(time.time()) // 60) if may_ask(question, function) else None

    def _unread(self, question: str) -> dict[str, str]:
        """Tell what the functions that fit the question best could not read."""
        unread: dict[str, str] = {}
        for choice in self._chooser.rank(question)[: self._attempts]:
            if choice.probability < self._floor:
                break
            try:
                read_arguments(question, self._functions[choice.node])
            except NotAskedError:
                continue
            except UnreadError as error:
                unread[choice.node] = str(error)
        return unread

    async def _compute(self, function: ToolFunction, arguments: Mapping[str, Any]) -> WorkerAnswer:
        try:
            return computed(function.name, arguments, await self._sandbox.call(function.name, arguments))
        except ToolError as error:
            return refused(function.name, arguments, error)


@lru_cache(maxsize=4096)
def _arguments(question: str, function: ToolFunction, minute: int) -> Mapping[str, Any] | None:
    """Read a question once in a minute for all workers that have the function: some read the clock."""
    try:
        return read_arguments(question, function)
    except UnreadError:
        return None


def computed(name: str, arguments: Mapping[str, Any], result: Any) -> WorkerAnswer:
    """Answer with the result of a call."""
    evidence = {"function": name, "arguments": dict(arguments), "result": result}
    return WorkerAnswer("answered", f"{_shown(result)}\n{COMPUTED} {_called(name, arguments)}.", evidence)


def refused(name: str, arguments: Mapping[str, Any], error: Exception) -> WorkerAnswer:
    """Decline with what a call raised."""
    evidence = {"function": name, "arguments": dict(arguments), "error": str(error)}
    return WorkerAnswer("declined", f"{error}\nTried with {_called(name, arguments)}.", evidence)


def no_call(kind: str, unread: Mapping[str, str]) -> WorkerAnswer:
    """Decline where no tool was called, with what could not be read for the best one."""
    reason = next((f"{name}: {text}" for name, text in unread.items()), "None fits the question.")
    return WorkerAnswer("declined", f"No {kind} was called. {reason}", {"unread": dict(unread)})


def _called(name: str, arguments: Mapping[str, Any]) -> str:
    """Write a call as people read it."""
    return f"{name}({', '.join(f'{key}={_shown(value)}' for key, value in arguments.items())})"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@lru_cache(maxsize=256)
def distributed(question: str) -> tuple[str, ...]:
    """Split a question into those that it asks at once: its parts, or one for each thing that it lists.

    "The capitals of Kenya and Peru" asks for two. This is a proposal: a reader of arguments says whether each
    is a question. A question that lists nothing is returned alone.
    """
    parts, text = parts_of(question), question.strip()
    if len(parts) > 1:
        return parts
    if found := _OF_EACH.fullmatch(text):
        noun = _singular(found["noun"])
        return tuple(f"what is the {noun} {found['link']} {item}?" for item in _items(found["items"]))
    if found := _WHETHER.fullmatch(text):
        kind = "a leap year" if found["kind"].lower() == "leap year" else "a prime number"
        return tuple(f"is {item} {kind}?" for item in _items(found["items"]))
    if found := _REQUEST.fullmatch(text):
        return tuple(f"{found['verb']} {item}" for item in _items(found["items"].rstrip(".?")))
    return (question,)


def _items(listed: str) -> list[str]:
    split = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", listed)
    return [item.strip() for item in split if item.strip()]


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-2] if noun.endswith("sses") else noun[:-1]
