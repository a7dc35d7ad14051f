"""How a turn begins: anew, where an earlier one was cut short, or with the answer that one waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.types import Command, Interrupt

from agents.types import Hop
from app.persistence.threads.checkpoints import messages_of
from app.server.errors import ApiError
from graphs.state import GraphContext
from graphs.traversal import is_alone

if TYPE_CHECKING:
    from app.runs.turns import Turn

Resume = str | Mapping[str, str] | None


@dataclass(frozen=True)
class Beginning:
    """What a run is given.

    Attributes:
        given: the input; None goes on where the run was cut short.
        context: of a turn that is gone on with, what it began with: else a step that waits for approval
            could be resumed without.
        hops: those that the turn has already.
        parallel: whether it has parallel branches already.
    """

    given: dict[str, Any] | Command[Any] | None
    context: GraphContext
    hops: list[Hop] = field(default_factory=list)
    parallel: bool = False


async def beginning(turn: Turn) -> Beginning:
    """How `turn` begins.

    A thread whose last turn waits for a person takes the message as the answer, or `resume`; if the same
    question is sent again, it goes on where it was, and asks again what it asked.

    Raises:
        ApiError: 400, a person is to be asked and there is no thread, or an answer has no question.
    """
    if turn.thread is None:
        if turn.resume is not None:
            raise _unasked()
        if turn.context.approve or turn.context.ask_user:
            raise ApiError(
                400,
                "A run that asks a person is kept while it waits: name its thread in X-Octopus-Thread.",
                code="thread_needed",
                param="octopus",
            )
        return _anew(turn, turn.messages)
    config = turn.config(turn.context)
    # As it was kept: a finished step whose checkpoint is missing comes again as events when the run goes on.
    kept = await turn.model.saver.aget_tuple(config)
    before = await messages_of(turn.model.saver, kept)
    if (
        kept
        and before
        and isinstance(before[-1], HumanMessage)
        and kept.metadata.get("model") == turn.model.id
    ):
        again = turn.resume is None and before[-1].text == turn.messages[-1].text
        asked = () if again else (await turn.compiled.aget_state(config)).interrupts
        if again or asked:
            return _going_on(None if again else _answer(turn, asked), kept, turn)
    if turn.resume is not None:
        raise _unasked()
    return _anew(turn, turn.messages[-1:] if before else turn.messages)


def _anew(turn: Turn, messages: Sequence[BaseMessage]) -> Beginning:
    return Beginning({"messages": list(messages)}, turn.context)


def _going_on(given: Any, kept: CheckpointTuple, turn: Turn) -> Beginning:
    values = kept.checkpoint["channel_values"]
    hops = [hop for hop in values.get("hops", []) if hop["turn"] == values.get("turn")]
    begun_with = str(kept.metadata.get("context") or "")
    context = GraphContext.model_validate_json(begun_with) if begun_with else turn.context
    planned: list[Hop] = values.get("planned", [])
    parallel = len(planned) > 1 or not all(is_alone(hop["branch"]) for hop in planned)
    return Beginning(given, context, hops, parallel)


def _answer(turn: Turn, asked: Sequence[Interrupt]) -> Command[Any]:
    """What a person says to what was asked; plain words are for the first of several questions."""
    said = str(turn.messages[-1].text) if turn.resume is None else turn.resume
    answers = {asked[0].id: said} if isinstance(said, str) else dict(said)
    if unknown := set(answers) - {one.id for one in asked}:
        wrong = f"Nothing is asked under {min(unknown)[:64]!r}."
        raise ApiError(400, wrong, code="nothing_asked", param="octopus.resume")
    return Command(resume=answers)


def _unasked() -> ApiError:
    wrong = "Nothing waits for an answer in this thread."
    return ApiError(400, wrong, code="nothing_asked", param="octopus.resume")
