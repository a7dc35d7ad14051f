"""Begin a run: anew, where an earlier one was cut short, or with the answer that one waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.types import Command, Interrupt

from agents.types import Hop
from app.persistence.threads.checkpoints import messages_of
from app.runs.run import RefusedError, Run
from graphs.state import GraphContext
from graphs.traversal import is_alone


@dataclass(frozen=True)
class Beginning:
    """Hold what a run starts from.

    Attributes:
        given: the graph's input; None continues where the run was cut short.
        context: that of the run; a resumed run keeps its first one, so that a step that waits for approval
            cannot be resumed without it.
        hops: those that a resumed run has done already.
        parallel: whether a resumed run has parallel branches.
    """

    given: dict[str, Any] | Command[Any] | None
    context: GraphContext
    hops: list[Hop] = field(default_factory=list)
    parallel: bool = False


async def begin(run: Run) -> Beginning:
    """Find out how `run` begins.

    If the thread's last run waits for a person, the message is the answer, or `resume` is. If the last
    question is sent again, its run continues, and asks again what it asked.

    Raises:
        RefusedError: a person is to be asked and there is no thread, or an answer has no question.
    """
    if run.key is None:
        if run.resume is not None:
            raise _nothing_asked()
        if run.context.approve or run.context.ask_user:
            raise RefusedError(
                "thread_needed", "a run that asks a person is kept while it waits.", "Name its thread."
            )
        return _anew(run, run.messages)
    config = run.config(run.context)
    saver = run.graph.checkpointer
    # The checkpoint as it was kept: a state would count a step as done whose checkpoint is missing.
    if not isinstance(saver, BaseCheckpointSaver):
        raise TypeError(f"the graph of a run in a thread needs a checkpointer, not {saver!r}")
    kept = await saver.aget_tuple(config)
    before = await messages_of(saver, kept)
    if kept and _is_open(before) and kept.metadata.get("model", run.model) == run.model:
        again = run.resume is None and str(before[-1].text) == run.question
        asked = () if again else (await run.graph.aget_state(config)).interrupts
        if again or asked:
            return _resumed(None if again else _answer(run, asked), kept, run)
    if run.resume is not None:
        raise _nothing_asked()
    return _anew(run, run.messages[-1:] if before else run.messages)


def _is_open(messages: Sequence[BaseMessage]) -> bool:
    return bool(messages) and isinstance(messages[-1], HumanMessage)


def _anew(run: Run, messages: Sequence[BaseMessage]) -> Beginning:
    return Beginning({"messages": list(messages)}, run.context)


def _resumed(given: Any, kept: CheckpointTuple, run: Run) -> Beginning:
    values = kept.checkpoint["channel_values"]
    hops = [hop for hop in values.get("hops", []) if hop["turn"] == values.get("turn")]
    begun_with = str(kept.metadata.get("context") or "")
    context = GraphContext.model_validate_json(begun_with) if begun_with else run.context
    planned: list[Hop] = values.get("planned", [])
    parallel = len(planned) > 1 or not all(is_alone(hop["branch"]) for hop in planned)
    return Beginning(given, context, hops, parallel)


def _answer(run: Run, asked: Sequence[Interrupt]) -> Command[Any]:
    """Return what a person says to what was asked; plain words answer the first of several questions."""
    said = run.question if run.resume is None else run.resume
    answers = {asked[0].id: said} if isinstance(said, str) else dict(said)
    if unknown := set(answers) - {one.id for one in asked}:
        raise RefusedError("nothing_asked", f"nothing is asked under {min(unknown)[:64]!r}.")
    return Command(resume=answers)


def _nothing_asked() -> RefusedError:
    return RefusedError("nothing_asked", "nothing waits for an answer in this thread.")
