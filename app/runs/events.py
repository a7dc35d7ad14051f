"""What happens in a run, as it is told to clients: decisions, pieces of the answer, its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langgraph.types import Interrupt

from agents.octopus.tokens import END_TOKEN
from agents.types import Hop
from app.runs.questions import worded
from app.runs.resume import Beginning
from app.server.models import Model
from app.server.telemetry import TurnTelemetry


@dataclass(frozen=True)
class Decided:
    """The Octopus chose; of parallel branches, each has a decision of its own."""

    decision: Hop


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
    """The turn is over, or waits for a person.

    Attributes:
        rest: what of the answer was not `Written` yet.
        text: the whole answer; of a turn that waits, what is asked.
        hops: all hops of this turn, those before an interruption too.
        asked: what a person is asked, each with the id that the answer names; empty if the turn is over.
    """

    rest: str
    text: str
    hops: list[Hop]
    asked: list[dict[str, Any]] = field(default_factory=list)


Event = Decided | Hopped | Written | Answered


class Watch:
    """Reads the events of one run.

    Args:
        begun: what the run was given.
    """

    def __init__(self, model: Model, telemetry: TurnTelemetry, begun: Beginning) -> None:
        self._model = model
        self._telemetry = telemetry
        self._hops = list(begun.hops)
        self._parallel = begun.parallel
        self._written = ""
        self._interrupts: list[Interrupt] = []

    def piece(self, chunk: BaseMessage, metadata: Mapping[str, Any]) -> Iterator[Event]:
        """Text of a language model whose answer is the last one.

        What others say may not be the answer: drafts in a subgraph, and branches, whose words would mix.
        """
        inside = "|" in str(metadata.get("langgraph_checkpoint_ns", ""))
        last = self._model.is_last(str(metadata.get("langgraph_node", "")))
        if isinstance(chunk, AIMessageChunk) and chunk.text and last and not inside and not self._parallel:
            self._written += str(chunk.text)
            yield Written(str(chunk.text))

    def update(self, event: Mapping[str, Any]) -> Iterator[Event]:
        """Decisions, hops and the answer of finished nodes."""
        self._interrupts += event.get("__interrupt__", ())
        for update in event.values():
            if isinstance(update, dict):  # LangGraph reports a task's result too
                yield from self._read(update)

    def end(self) -> Iterator[Event]:
        """What the run asks where it stopped without an answer."""
        if self._interrupts:
            asked = [{"id": one.id, **one.value} for one in self._interrupts]
            text = "\n\n".join("\n".join(worded(one)) for one in asked)
            self._telemetry.asked(asked)
            yield Answered(self._rest(text), text, self._hops, asked)

    def _read(self, update: Mapping[str, Any]) -> Iterator[Event]:
        for hop in update.get("hops", []):
            self._hops.append(hop)
            self._telemetry.hopped(hop)
            yield Hopped(hop)
        planned = update.get("planned", [])
        self._parallel = self._parallel or len(planned) > 1
        for hop in planned:
            if hop["token"] != END_TOKEN:
                self._telemetry.decided(hop)
                yield Decided(hop)
        if messages := update.get("messages"):
            answer = str(messages[-1].text)
            yield Answered(self._rest(answer), answer, self._hops)

    def _rest(self, answer: str) -> str:
        if answer.startswith(self._written):
            return answer[len(self._written) :]
        return f"\n\n{answer}"  # the model broke off, and what it had begun cannot be taken back
