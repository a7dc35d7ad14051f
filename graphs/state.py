"""Typed state of a run, its narrow input and output, and the run-time context."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.graph import MessagesState
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict  # that of Python 3.11 has no JSON schema

from agents.reflection.types import Mode
from agents.types import Hop


class Decision(TypedDict):
    """The route that the conditional edge follows next; JSON values, so that any checkpointer keeps it."""

    master: str
    token: str
    node: str | None
    probability: float
    calibrated: bool
    rewritten: str
    question: str
    reason: str
    choices: list[dict[str, Any]]
    seconds: float


def add_hops(before: list[Hop], new: list[Hop]) -> list[Hop]:
    """Append `new`; hops of another turn start the list afresh, so that it holds one turn only."""
    if new and before and before[-1]["turn"] != new[0]["turn"]:
        return list(new)
    return [*before, *new]


class GraphInput(TypedDict):
    """What a run is given."""

    messages: Annotated[list[AnyMessage], add_messages]


class GraphOutput(TypedDict):
    """What a run gives back: the messages and the hops of this turn."""

    messages: Annotated[list[AnyMessage], add_messages]
    hops: Annotated[list[Hop], add_hops]


class GraphState(MessagesState):
    """The whole state.

    Attributes:
        turn: id of this turn; every hop carries it.
        hops: the path of this turn.
        decision: the route that is being followed.
        steps: hops taken in this turn, against the budget.
    """

    turn: str
    hops: Annotated[list[Hop], add_hops]
    decision: Decision
    steps: int


class GraphContext(BaseModel):
    """Run-time settings, validated on every run.

    Attributes:
        max_hops: executed steps after which the run stops and says so.
        timeout: seconds for one worker's answer.
        reflection: how drafts are reflected on, instead of what each worker's spec says.
        reflection_rounds: drafts at most, likewise.
        reflection_tokens: generated tokens at most, likewise.
        reflection_seconds: time at most, likewise.
    """

    model_config = ConfigDict(extra="forbid")

    max_hops: int = Field(default=8, ge=1, le=100)
    timeout: float = Field(default=120.0, gt=0)
    reflection: Mode | None = None
    reflection_rounds: int | None = Field(default=None, ge=1, le=100)
    reflection_tokens: int | None = Field(default=None, ge=1)
    reflection_seconds: float | None = Field(default=None, gt=0)
