"""Define the typed state of a run, its narrow input and output, and the run-time context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from langchain_core.messages import AnyMessage, RemoveMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.errors import InvalidUpdateError
from langgraph.graph.message import _messages_delta_reducer
from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict  # that of Python 3.11 has no JSON schema

from agents.generation import Generation
from agents.ledger import Policy
from agents.reflection.types import Mode
from agents.types import Hop


def latest(before: list[Hop], new: list[Hop]) -> list[Hop]:
    """Keep `new`: each node reads what it planned itself, so that of parallel branches any may stay."""
    return new


def add_hops(before: list[Hop], new: list[Hop]) -> list[Hop]:
    """Append `new`; hops of another turn start the list afresh, so that it holds one turn only."""
    if new and before and before[-1]["turn"] != new[0]["turn"]:
        return list(new)
    return [*before, *new]


def count(before: int, new: int | None) -> int:
    """Add `new`; None begins to count afresh."""
    return 0 if new is None else before + new


class MessagesChannel(DeltaChannel[list[AnyMessage]]):
    """Store what was written in each step instead of the whole list, so that n messages cost O(n) bytes.

    Writes merge by id, as with `add_messages`. Threads that were written with `add_messages` go on.
    """

    def update(self, values: Sequence[Any]) -> bool:
        """Merge what a step wrote; refuse a removal that LangGraph's reducer would ignore in silence."""
        known = {message.id for message in (self.get() if self.is_available() else ())}
        for written in values:
            for message in written if isinstance(written, list) else [written]:
                if isinstance(message, RemoveMessage) and message.id not in known:
                    raise InvalidUpdateError(
                        f"RemoveMessage({message.id!r}): there is no such message. "
                        "Overwrite([]) removes all messages."
                    )
                known.add(getattr(message, "id", None))
        return super().update(values)


Messages = Annotated[list[AnyMessage], MessagesChannel(_messages_delta_reducer)]


class GraphInput(TypedDict):
    """Hold what a run is given."""

    messages: Messages


class GraphOutput(TypedDict):
    """Hold what a run gives back: the messages and the hops of this turn."""

    messages: Messages
    hops: Annotated[list[Hop], add_hops]


class GraphState(TypedDict):
    """Hold the whole state.

    Attributes:
        turn: id of this turn; every hop carries it.
        hops: the path of this turn.
        planned: the hop to execute next; several are executed in parallel.
        walking: how many parallel branches have not come to their end.
    """

    messages: Messages
    turn: str
    hops: Annotated[list[Hop], add_hops]
    planned: Annotated[list[Hop], latest]
    walking: Annotated[int, count]


class GraphContext(BaseModel):
    """Hold run-time settings, validated on every run.

    Attributes:
        max_hops: decisions after which a turn stops and says so; parallel branches share them.
        max_tokens: tokens that models may use in a turn; no further worker is asked beyond; likewise shared.
        max_tool_calls: tools that models may call by themselves in a turn; likewise shared.
        max_seconds: what a walk may take in all; waiting for a person does not count.
        timeout: seconds for one worker's answer.
        parallel: whether a compound question is answered part by part.
        second_choices: how many of the next choices are asked for a part that the first could not answer;
            short as parts are, routing is less sure of them.
        experts: how many of the ranked neighbours answer the same question in parallel.
        vote: what decides between their answers: probability, or a judge model.
        policy: how much the cost of a worker weighs against its probability.
        escalate_below: probability below which a worker's answer goes on to the `stronger` one of the spec.
        ask_user: interrupt and ask where no neighbour clears the threshold; needs a checkpointer.
        approve: interrupt before every step for approval; needs a checkpointer.
        reflection: how drafts are reflected on, instead of what each worker's spec says.
        reflection_rounds: drafts at most, likewise.
        reflection_tokens: generated tokens at most, likewise.
        reflection_seconds: time at most, likewise.
        generation: what the client asks of the model that answers.
    """

    model_config = ConfigDict(extra="forbid")

    max_hops: int = Field(default=12, ge=1, le=100)
    max_tokens: int = Field(default=100_000, ge=1)
    max_tool_calls: int = Field(default=8, ge=0, le=100)
    max_seconds: float = Field(default=600.0, gt=0)
    timeout: float = Field(default=120.0, gt=0)
    parallel: bool = True
    second_choices: int = Field(default=2, ge=0, le=16)
    experts: int = Field(default=1, ge=1, le=16)
    vote: Literal["weighted", "judge"] = "weighted"
    policy: Policy = "quality"
    escalate_below: float = Field(default=0.3, ge=0, le=1)
    ask_user: bool = False
    approve: bool = False
    reflection: Mode | None = None
    reflection_rounds: int | None = Field(default=None, ge=1, le=100)
    reflection_tokens: int | None = Field(default=None, ge=1)
    reflection_seconds: float | None = Field(default=None, gt=0)
    generation: Generation = Generation()

    @model_validator(mode="after")
    def _goes_together(self) -> GraphContext:
        if self.generation.offers_tools and self.experts > 1:
            raise ValueError("experts above 1 are not asked where the client brings tools")
        if self.generation.offers_tools and self.reflection not in (None, "none"):
            raise ValueError("reflection is not taken where the client brings tools")
        return self
