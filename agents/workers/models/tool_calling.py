"""Let a chat model call tools until it answers, within the budgets of its turn.

Tools are LangChain's. Its agent and LangGraph's ToolNode do not fit: the one is in no package of the core,
goes on where a model repeats its calls, and gives up where a server takes no tools; the other runs inside a
graph only, does not check arguments against a JSON schema, and tells errors on several lines.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langgraph.errors import GraphBubbleUp

from agents.modalities import attachments_of, human
from agents.redaction import bare_urls
from agents.settings import ProviderKeys
from agents.types import Limits, WorkerRequest
from agents.workers.models.model_tool import CallError, Offer, checked, refuses, refuses_tools
from agents.workers.models.reply import REASONING, Reply, parted, reasoning_in
from agents.workers.models.window import Room
from agents.workers.models.written_calls import read_calls

_SHARE_OF_TIME = 0.75  # after which no further tool is called, so that an answer can still be written
_MOST_RESULT = 16_000  # characters of a result that a model is told
_SECONDS = 120.0  # for an answer, where nobody says
_KEPT_RESULT = 4_000  # characters of a result that the trace keeps
_CHARACTERS_PER_TOKEN = 3
_BROKEN = "\0arguments"  # no parameter can be called so

NO_TOOLS = "The model, or its server, takes no tools: it was asked without them."
NOT_TAKEN = "The server did not take results in turns of their own: they were told in the question."
NOT_OFFERED = "The worker's own tools do not go with a client's, a form, or several answers."
_REFUSED: set[str] = set()  # models of this process that take no tools


class Ask(Protocol):
    """Ask a chat model."""

    async def __call__(
        self,
        messages: Sequence[BaseMessage],
        tools: Sequence[Mapping[str, Any]],
        room: int | None,
    ) -> AIMessage:
        """Return the model's message.

        Args:
            messages: what it is told.
            tools: the functions that it may call, as OpenAI's API takes them.
            room: tokens that the messages leave in its window; None where that is not known.
        """
        ...


class Tools(Protocol):
    """Offer tools to a worker's model."""

    async def offer(self, request: WorkerRequest, room: int | None) -> Offer:
        """Return the tools for a question, as many as `room` tokens of the model's window hold."""
        ...


def calls_tools(request: WorkerRequest) -> bool:
    """Return whether a worker's own tools go with a request; see `NOT_OFFERED`."""
    asked = request.generation
    return request.limits.calls > 0 and not asked.tools and not asked.form and (asked.n or 1) == 1


async def converse(
    ask: Ask,
    messages: Sequence[BaseMessage],
    tools: Tools,
    request: WorkerRequest,
    room: Room,
    model: str,
) -> tuple[AIMessage, dict[str, Any]]:
    """Ask a model that may call tools; return its answer, and its steps and tools for the evidence.

    Args:
        ask: asks the model.
        messages: what it is told.
        tools: what it may call.
        request: whose question it is.
        room: what is left of its window.
        model: which one, so that it is remembered where it takes no tools.
    """
    refused = model in _REFUSED
    offer = Offer(note=NO_TOOLS) if refused else await tools.offer(request, room.spare)
    talk = Talk(ask, offer, request.limits, request.seconds or _SECONDS, room)
    reply = await (talk.answer(messages) if offer.tools else ask(messages, (), room.tokens))
    if talk.refused:
        _REFUSED.add(model)
    offered = [] if talk.refused else [tool.name for tool in offer.tools.values()]
    note = " ".join(part for part in (offer.note, talk.ended) if part)
    told = {"tools": {"offered": offered} | ({"note": note} if note else {})} if offered or note else {}
    return reply, told | ({"steps": talk.steps} if talk.steps else {})


@dataclass
class Talk:
    """Talk with a model that calls tools.

    Attributes:
        ask: asks the model.
        offer: its tools.
        limits: of this turn.
        seconds: for all of it.
        room: what is left of the model's window.
        steps: the calls so far, for the trace.
        ended: why no further tool was called, or none at all; "" where the model came to its end.
        refused: whether the model's server takes no tools.
    """

    ask: Ask
    offer: Offer
    limits: Limits
    seconds: float
    room: Room
    steps: list[dict[str, Any]] = field(default_factory=list, init=False)
    ended: str = field(default="", init=False)
    refused: bool = field(default=False, init=False)
    _thoughts: list[str] = field(default_factory=list, init=False)
    _usage: UsageMetadata | None = field(default=None, init=False)
    _last: list[tuple[str, Any]] = field(default_factory=list, init=False)

    async def answer(self, messages: Sequence[BaseMessage]) -> AIMessage:
        """Return the model's answer, with the usage of all rounds.

        Raises:
            Exception: of the model.
        """
        self._deadline = time.monotonic() + _SHARE_OF_TIME * self.seconds
        self._left = (self.room.spare or 4 * _MOST_RESULT) * _CHARACTERS_PER_TOKEN
        told = self._first = messages
        while not self.ended:
            try:
                reply = await self._asked(told, self.offer.told)
            except Exception as error:
                if not self._refuses(error):
                    raise
                self.ended = NO_TOOLS if self.refused else NOT_TAKEN
                break
            calls = _calls_of(reply)
            if not calls:
                self.ended = "" if self.steps else self._dropped(reply)
                return self._whole(reply)
            before = Reply.of(reply)
            self._thoughts += [text for text in (before.reasoning, before.text.strip()) if text]
            results = await self._round(calls)
            told = [*told, _with_calls(reply, calls), *results]
            self.ended = self.ended or self._spent()
        most = _KEPT_RESULT if self.ended != NOT_TAKEN else _KEPT_RESULT // 4
        return self._whole(await self._asked(_flat(messages, self.steps, most), ()))

    async def _asked(self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> AIMessage:
        taken = len(json.dumps(tools)) // _CHARACTERS_PER_TOKEN if tools else 0
        left = await self.room.beside(self._first, messages, taken)
        reply = await self.ask(messages, tools, left)
        self._usage = add_usage(self._usage, reply.usage_metadata) if reply.usage_metadata else self._usage
        return reply

    def _whole(self, reply: AIMessage) -> AIMessage:
        """Return the answer, with the usage of all rounds and what was thought and said before its calls."""
        thoughts = [*self._thoughts, reasoning_in(reply).strip()]
        told = {REASONING: "\n\n".join(filter(None, thoughts))} if self._thoughts else {}
        content: Any = reply.content  # without tools, a model may write a call all the same
        return reply.model_copy(
            update={
                "content": read_calls(content, self.offer.tools)[0] if isinstance(content, str) else content,
                "additional_kwargs": reply.additional_kwargs | told,
                "usage_metadata": self._usage,
                "tool_calls": [],
                "invalid_tool_calls": [],
            }
        )

    def _dropped(self, reply: AIMessage) -> str:
        """Say where a server dropped the tools in silence: its model read fewer tokens than they have."""
        read, told = reply.usage_metadata, len(json.dumps(self.offer.told))
        if read is None or read["input_tokens"] * 2 * _CHARACTERS_PER_TOKEN >= told:
            return ""
        return f"The model read {read['input_tokens']} tokens: its server does not show it these tools."

    def _refuses(self, error: Exception) -> bool:
        """Return whether the server takes no tools; after calls, whether it refuses their results."""
        self.refused = not self.steps
        return refuses_tools(error) or (bool(self.steps) and refuses(error))

    def _spent(self) -> str:
        """Name the budget that is used up, in a sentence; "" if none is."""
        used = self._usage["total_tokens"] if self._usage else 0
        if len(self.steps) >= self.limits.calls:
            return f"The budget of {self.limits.calls} tool calls is used up."
        if self.limits.tokens is not None and used >= self.limits.tokens:
            return f"The budget of {self.limits.tokens:,} tokens is used up."
        if time.monotonic() >= self._deadline:
            return f"The budget of {self.seconds:g} seconds leaves no time for further tools."
        return ""

    async def _round(self, calls: Sequence[ToolCall]) -> list[ToolMessage]:
        """Run the calls in parallel; return their results in the order of the calls."""
        asked = [(call["name"], call["args"]) for call in calls]
        if asked == self._last:
            self.ended = "The model asked for the same calls again."
            return []
        self._last = asked
        left = self.limits.calls - len(self.steps)
        most = min(_MOST_RESULT, self._left // (2 * len(calls)))
        steps = await asyncio.gather(*(self._step(call, number < left) for number, call in enumerate(calls)))
        self.steps += [_kept(step) for step in steps]
        texts = [_cut(str(step.get("result", f"Error: {step.get('error')}")), most) for step in steps]
        self._left -= sum(map(len, texts))
        return [
            ToolMessage(text, tool_call_id=str(call["id"]), name=call["name"])
            for text, call in zip(texts, calls, strict=True)
        ]

    async def _step(self, call: ToolCall, affordable: bool) -> dict[str, Any]:
        tool, arguments = self.offer.tools.get(call["name"]), call["args"]
        step: dict[str, Any] = {"tool": tool.name if tool else call["name"], "arguments": arguments}
        started = time.perf_counter()
        try:
            if not affordable:
                raise CallError(f"not called: the budget of {self.limits.calls} tool calls is used up.")
            if tool is None:
                raise CallError(f"there is no such tool. Known are {', '.join(self.offer.tools)}.")
            if (broken := arguments.get(_BROKEN)) is not None:
                step["arguments"] = {"unread": broken}
                raise CallError("its arguments are not a JSON object.")
            step["arguments"] = arguments = checked(arguments, tool.parameters)
            async with asyncio.timeout(max(0.0, self._deadline - time.monotonic())):
                step["result"] = await tool.call(arguments)
        except GraphBubbleUp:  # a question to the user, or a command for the graph around
            raise
        except TimeoutError:
            step["error"] = "it gave no result in time."
        except (Exception, SystemExit) as error:  # a tool of the user may raise anything
            step["error"] = _one_line(error)
        step["seconds"] = round(time.perf_counter() - started, 3)
        return step


def _calls_of(reply: AIMessage) -> list[ToolCall]:
    """Return all calls, each with an id of its own; servers part those whose arguments are broken."""
    broken = [
        ToolCall(name=one["name"] or "unnamed", args={_BROKEN: one["args"] or ""}, id=one["id"])
        for one in reply.invalid_tool_calls
    ]
    calls = [*reply.tool_calls, *broken]
    ids = {call["id"] for call in calls}
    if len(ids) < len(calls) or not all(ids):
        # Nine letters and digits, as the strictest templates (Mistral's) want it.
        return [ToolCall(name=one["name"], args=one["args"], id=uuid4().hex[:9]) for one in calls]
    return calls


def _with_calls(reply: AIMessage, calls: Sequence[ToolCall]) -> AIMessage:
    """Return the reply as it goes back to the model: every call has a result, and none is broken JSON."""
    sound = [
        ToolCall(name=one["name"], args={} if _BROKEN in one["args"] else one["args"], id=one["id"])
        for one in calls
    ]
    content: Any = parted(reply.content)[0] if isinstance(reply.content, str) else reply.content
    return AIMessage(content, tool_calls=sound)


def _flat(
    messages: Sequence[BaseMessage], steps: Sequence[Mapping[str, Any]], most: int
) -> list[BaseMessage]:
    """Return the messages with the results of calls in the user's turn, as every template takes them."""
    if not steps:
        return list(messages)
    lines = [
        f"- {one['tool']}({json.dumps(one['arguments'], ensure_ascii=False, default=str)}): "
        f"{_cut(str(one.get('result', one.get('error'))), most)}"
        for one in steps
    ]
    told = "\n".join(["Tools gave these results:", *lines, "", "Answer with them now."])
    last = messages[-1]
    if not isinstance(last, HumanMessage):
        return [*messages, human(told)]
    return [*messages[:-1], human(f"{last.text}\n\n{told}", attachments_of(last))]


def _kept(step: Mapping[str, Any]) -> dict[str, Any]:
    kept = {**step, "arguments": json.loads(json.dumps(step["arguments"], default=str))}
    return kept | {"result": _cut(step["result"], _KEPT_RESULT)} if "result" in step else kept


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… (cut off; {len(text):,} characters in all)"


def _one_line(error: BaseException) -> str:
    said = next(iter(str(error).strip().splitlines()), "")[:300]
    kind = "" if isinstance(error, CallError) and said else f"{type(error).__name__}: "
    return ProviderKeys.read().hidden(bare_urls(f"{kind}{said}".rstrip(": ")))
