"""Describe a run, claim its thread, and find out how it begins: anew, resumed, or with an answer."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Literal

from langchain_core.messages import BaseMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Interrupt

from agents.errors import InputError, ModelUnavailableError
from agents.types import UNANSWERED, Hop
from app.persistence.checkpoints import config_of, messages_of
from app.persistence.errors import ThreadBusyError, ThreadLostError
from app.persistence.locks import locked
from graphs.state import GraphContext
from graphs.tool_turns import asked_and_since, check_last
from graphs.traversal import is_alone

Compiled = CompiledStateGraph[Any, Any, Any, Any]
_MOST_STEPS = 250  # LangGraph's own default would let a fault in an edge run for hours


class RefusedError(InputError):
    """Refuse a run that cannot begin.

    Attributes:
        code: why, for programs.
    """

    def __init__(
        self, code: Literal["thread_busy", "thread_needed", "nothing_asked"], message: str, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint, retryable=code == "thread_busy")
        self.code = code
        if self.retryable:
            self.exit_code = ModelUnavailableError.exit_code


@dataclass(frozen=True)
class Run:
    """Describe one run.

    Attributes:
        graph: compiled, with the checkpointer that keeps the thread and the store that keeps lessons.
        messages: the conversation, the question or results of the client's tools last; in a thread that has
            messages, these are new, and system messages that are not those of the thread.
        context: budgets, policy, reflection, and whether a person is asked.
        model: what is asked: the name of the graph, or `graph/worker`; a thread resumes with the same only.
        thread: the name of the conversation; None remembers nothing.
        owner: what the checkpointer's key of the thread begins with.
        checkpoint: the checkpoint of the thread to continue from, instead of its end.
        resume: the answer to what the thread's last run asked; None takes the message.
        wait: seconds to wait for while another run has the thread.
        pieces: whether the answer is `Written` while it is generated; without, a run is cheaper.
        id: of this run; its checkpoints carry it.
    """

    graph: Compiled
    messages: Sequence[BaseMessage]
    context: GraphContext = field(default_factory=GraphContext)
    model: str = ""
    thread: str | None = None
    owner: str = ""
    checkpoint: str | None = None
    resume: str | Mapping[str, str] | None = None
    wait: float = 0.0
    pieces: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def question(self) -> str:
        """Return what the user asked."""
        asked, _ = asked_and_since(self.messages)
        return str(asked[-1].text) if asked else ""

    @property
    def new(self) -> list[BaseMessage]:
        """Return the last messages: the question, or the results of the client's tools."""
        results = list(takewhile(lambda message: isinstance(message, ToolMessage), reversed(self.messages)))
        return results[::-1] or list(self.messages[-1:])

    @property
    def key(self) -> str | None:
        """Return the key under which the checkpointer keeps the thread."""
        return None if self.thread is None else self.owner + self.thread

    def config(self, context: GraphContext) -> RunnableConfig:
        """Return LangGraph's config; every checkpoint keeps the metadata."""
        kept = {
            "model": self.model,
            "run": self.id,
            "context": context.model_dump_json(exclude_unset=True),
        }
        config = RunnableConfig(recursion_limit=_MOST_STEPS, metadata=kept)
        if self.key is not None:
            config |= config_of(self.key, checkpoint_id=self.checkpoint)
        return config


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


@asynccontextmanager
async def claimed(run: Run, longest: float | None = None) -> AsyncIterator[Run]:
    """Keep all others out of the run's thread; yield the run as it is to be executed.

    Args:
        run: what is to be done.
        longest: seconds that it may wait for at most; None sets no limit.

    Raises:
        RefusedError: another run has the thread, or took it while this one stood still.
    """
    if run.key is None:
        yield run
        return
    saver, wait = _saver(run), run.wait if longest is None else min(run.wait, longest)
    try:
        async with locked(saver, run.key, wait) as config:
            graph, checkpoint = run.graph.with_config(config), run.checkpoint
            if checkpoint is not None:
                newest = await saver.aget_tuple(config_of(run.key))
                # At its end a thread continues as it is, with what it waits for; before it, from there.
                checkpoint = None if newest and newest.checkpoint["id"] == checkpoint else checkpoint
            yield replace(run, graph=graph, checkpoint=checkpoint)
    except ThreadBusyError as error:
        hint = "Wait for it, or use another thread."
        raise RefusedError("thread_busy", "this thread is still working on another request.", hint) from error
    except ThreadLostError as error:
        raise RefusedError(
            "thread_busy", "another request has taken over this thread.", "Ask again."
        ) from error


async def begin(run: Run) -> Beginning:
    """Find out how `run` begins.

    If the thread's last run waits for a person, the message is the answer, or `resume` is. If the last
    question is sent again, its run continues, and asks again what it asked. Where an earlier version of the
    program left the run, it cannot continue, and begins again.

    Raises:
        RefusedError: a person is to be asked and there is no thread, or an answer has no question that this
            version asked.
        InputError: results of tools are not those that the thread's last calls wait for.
    """
    if run.key is None:
        if run.resume is not None:
            raise _nothing_asked()
        if run.context.approve or run.context.ask_user:
            raise RefusedError(
                "thread_needed", "a run that asks a person is kept while it waits.", "Name its thread."
            )
        return _anew(run, run.messages)
    config, saver = run.config(run.context), _saver(run)
    # The checkpoint as it was kept: a state would count a step as done whose checkpoint is missing.
    kept = await saver.aget_tuple(config)
    before = await messages_of(saver, kept)
    if kept and _is_open(before) and kept.metadata.get("model", run.model) == run.model:
        last = run.messages[-1]
        again = run.resume is None and (before[-1].type, before[-1].text) == (last.type, last.text)
        asked = () if again else (await run.graph.aget_state(config)).interrupts
        if _is_of_another_form(kept):
            if asked:
                raise _asked_by_another_version()
            # The question replaces itself, since messages merge by id.
            return _anew(run, before[-1:], _context_of(kept, run)) if again else _anew(run, run.new)
        if again or asked:
            return _resumed(None if again else _answer(run, asked), kept, run)
    if run.resume is not None:
        raise _nothing_asked()
    new = _new(run, before)
    if isinstance(new[-1], ToolMessage):  # a result that no call waits for must not be kept: others follow it
        check_last(_together(before, new))
    return _anew(run, new)


def _together(before: Sequence[BaseMessage], new: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return the messages of a thread when `new` are merged in, by id."""
    found = {str(one.id): one for one in before}
    for index, one in enumerate(new):
        if isinstance(one, RemoveMessage):
            found.pop(str(one.id), None)
        else:
            found[str(one.id or index)] = one
    return list(found.values())


def _saver(run: Run) -> BaseCheckpointSaver[Any]:
    if not isinstance(saver := run.graph.checkpointer, BaseCheckpointSaver):
        raise TypeError(f"the graph of a run in a thread needs a checkpointer, not {saver!r}")
    return saver


def _new(run: Run, before: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return what the run adds to its thread: what is new, and instructions that replace earlier ones.

    What nobody answered is not there twice when it is asked again.
    """
    if not before:
        return list(run.messages)
    new, failed = run.new, before[-1]
    tried = before[-1 - len(new) : -1] if failed.additional_kwargs.get(UNANSWERED) else ()
    again = [(one.type, str(one.text)) for one in tried] == [(one.type, str(one.text)) for one in new]
    told, known = ([one for one in some if isinstance(one, SystemMessage)] for some in (run.messages, before))
    if told and [str(one.text) for one in told] != [str(one.text) for one in known]:
        gone = [*known, *tried, failed] if again else known
        return [*(RemoveMessage(str(one.id)) for one in gone), *told, *new]
    if not again:
        return new
    kept = (one.model_copy(update={"id": old.id}) for one, old in zip(new, tried, strict=True))
    return [RemoveMessage(str(failed.id)), *kept]  # messages merge by id


def _is_open(messages: Sequence[BaseMessage]) -> bool:
    return bool(messages) and isinstance(messages[-1], HumanMessage | ToolMessage)


def _is_of_another_form(kept: CheckpointTuple) -> bool:
    """Return whether a version before 0.1.0 wrote the state: it kept a `decision`, where `planned` is now."""
    values = kept.checkpoint["channel_values"]
    return "decision" in values and not values.get("planned")


def _anew(run: Run, messages: Sequence[BaseMessage], context: GraphContext | None = None) -> Beginning:
    return Beginning({"messages": list(messages)}, context or run.context)


def _context_of(kept: CheckpointTuple, run: Run) -> GraphContext:
    begun_with = str(kept.metadata.get("context") or "")
    return GraphContext.model_validate_json(begun_with) if begun_with else run.context


def _resumed(given: Any, kept: CheckpointTuple, run: Run) -> Beginning:
    values = kept.checkpoint["channel_values"]
    hops = [hop for hop in values.get("hops", []) if hop["turn"] == values.get("turn")]
    planned: list[Hop] = values.get("planned", [])
    parallel = len(planned) > 1 or not all(is_alone(hop["branch"]) for hop in planned)
    return Beginning(given, _context_of(kept, run), hops, parallel)


def _answer(run: Run, asked: Sequence[Interrupt]) -> Command[Any]:
    """Return what a person says to what was asked; plain words answer the first of several questions."""
    said = run.question if run.resume is None else run.resume
    answers = {asked[0].id: said} if isinstance(said, str) else dict(said)
    if unknown := set(answers) - {one.id for one in asked}:
        raise RefusedError("nothing_asked", f"nothing is asked under {min(unknown)[:64]!r}.")
    return Command(resume=answers)


def _nothing_asked() -> RefusedError:
    return RefusedError("nothing_asked", "nothing waits for an answer in this thread.")


def _asked_by_another_version() -> RefusedError:
    return RefusedError(
        "nothing_asked",
        "what is asked here was asked by an earlier version of this program: send the last question again.",
    )
