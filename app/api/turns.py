"""One turn of a conversation: run, watched, stopped at its deadline or when nobody listens any more."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig

from agents.octopus.tokens import END_TOKEN
from agents.types import Hop
from app.api.errors import ApiError
from app.api.graphs import Model
from app.api.telemetry import Telemetry, TurnTelemetry
from app.running import RECURSION_LIMIT
from graphs.state import Decision, GraphContext


@dataclass(frozen=True)
class Decided:
    """The Octopus chose."""

    decision: Decision


@dataclass(frozen=True)
class Hopped:
    """A worker is done."""

    hop: Hop


@dataclass(frozen=True)
class Written:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True)
class Answered:
    """The turn is over.

    Attributes:
        rest: what of the answer was not `Written` yet.
        text: the whole answer.
        hops: all hops of this turn, those before an interruption too.
    """

    rest: str
    text: str
    hops: list[Hop]


Event = Decided | Hopped | Written | Answered


@dataclass(frozen=True)
class Turn:
    """What is to be done.

    Attributes:
        model: the graph.
        messages: the conversation; of a thread that has one already, only the last is new.
        context: budgets.
        thread: stored id; None remembers nothing.
        checkpoint: of the thread, to go on from there instead of from its end.
        pieces: whether the answer is `Written` while it comes; not doing so is cheaper.
        id: of this run; the checkpoints carry it.
    """

    model: Model
    messages: Sequence[BaseMessage]
    context: GraphContext = field(default_factory=GraphContext)
    thread: str | None = None
    checkpoint: str | None = None
    pieces: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def config(self) -> RunnableConfig:
        """What LangGraph is told; the metadata is kept with every checkpoint."""
        config = RunnableConfig(
            recursion_limit=RECURSION_LIMIT, metadata={"model": self.model.id, "run": self.id}
        )
        if self.thread is not None:
            config["configurable"] = {"thread_id": self.thread, "checkpoint_ns": ""}
            if self.checkpoint is not None:
                config["configurable"]["checkpoint_id"] = self.checkpoint
        return config


@dataclass
class Turns:
    """Runs turns.

    Attributes:
        telemetry: is told of every decision and hop.
        timeout: seconds for a turn.
        busy: threads that a turn of this server is working on.
    """

    telemetry: Telemetry
    timeout: float
    busy: set[str] = field(default_factory=set)

    async def run(self, turn: Turn) -> AsyncGenerator[Event]:
        """What happens, as it happens; closing the iterator stops the run.

        A thread whose last turn was cut short goes on at the hop where it was if the same question is sent.

        Raises:
            ApiError: 409, the thread is busy.
            TimeoutError: the turn took too long.
        """
        if turn.thread in self.busy:
            raise ApiError(409, "This thread is still working on another request.", code="thread_busy")
        if turn.thread is not None:
            self.busy.add(turn.thread)
        try:
            with self.telemetry.turn(turn.model.graph) as telemetry:
                async with aclosing(self._watch(turn, telemetry)) as events:
                    async for event in events:
                        yield event
        finally:
            self.busy.discard(turn.thread or "")

    async def _watch(self, turn: Turn, telemetry: TurnTelemetry) -> AsyncGenerator[Event]:
        deadline = asyncio.get_running_loop().time() + self.timeout
        async with asyncio.timeout_at(deadline):
            given, hops = await _beginning(turn)
        compiled = turn.model.compiled(remember=turn.thread is not None)
        run = compiled.astream(
            given,
            turn.config,
            context=turn.context,
            stream_mode=["updates", "messages"] if turn.pieces else ["updates"],
            durability="sync" if turn.thread is not None else None,
        )
        written = ""
        async with aclosing(run) as events:  # type: ignore[type-var]
            while True:
                # Not around the loop: the time-out must not strike in the code that we yield to.
                try:
                    async with asyncio.timeout_at(deadline):
                        mode, event = cast("tuple[str, Any]", await anext(events))
                except StopAsyncIteration:
                    return
                if mode == "messages":
                    if text := _piece(turn.model, *event):
                        written += text
                        yield Written(text)
                    continue
                for update in filter(None, event.values()):
                    for hop in update.get("hops", []):
                        hops.append(hop)
                        telemetry.hopped(hop)
                        yield Hopped(hop)
                    decision = update.get("decision")
                    if decision and decision["token"] != END_TOKEN:
                        telemetry.decided(decision)
                        yield Decided(decision)
                    if messages := update.get("messages"):
                        answer = str(messages[-1].text)
                        yield Answered(_rest(answer, written), answer, hops)


async def _beginning(turn: Turn) -> tuple[dict[str, Any] | None, list[Hop]]:
    """What the run is given, and the hops that it has already; None goes on where it was cut short."""
    if turn.thread is None:
        return {"messages": list(turn.messages)}, []
    # As it was kept: a finished step whose checkpoint is missing comes again as events when the run goes on.
    kept = await turn.model.saver.aget_tuple(turn.config)
    values = kept.checkpoint["channel_values"] if kept else {}
    before = values.get("messages", [])
    if kept is None or not before:
        return {"messages": list(turn.messages)}, []
    last = before[-1]
    same = isinstance(last, HumanMessage) and last.text == turn.messages[-1].text
    if same and kept.metadata.get("model") == turn.model.id:
        return None, [hop for hop in values.get("hops", []) if hop["turn"] == values.get("turn")]
    return {"messages": list(turn.messages[-1:])}, []


def _piece(model: Model, chunk: BaseMessage, metadata: dict[str, Any]) -> str:
    """Text of a language model whose answer is the last one; what others say may not be the answer."""
    if isinstance(chunk, AIMessageChunk) and model.is_last(metadata.get("langgraph_node", "")):
        return str(chunk.text)
    return ""


def _rest(answer: str, written: str) -> str:
    if answer.startswith(written):
        return answer[len(written) :]
    return f"\n\n{answer}"  # the model broke off, and what it had begun cannot be taken back
