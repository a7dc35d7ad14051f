"""Describe a run: what is to be done, with which graph, and in which thread."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from agents.errors import InputError
from app.persistence.threads.checkpoints import config_of
from graphs.state import GraphContext

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


@dataclass(frozen=True)
class Run:
    """Describe one run.

    Attributes:
        graph: compiled, with the checkpointer that keeps the thread and the store that keeps lessons.
        messages: the conversation, the question last; in a thread that has messages, only the last is new.
        context: budgets, policy, reflection, and whether a person is asked.
        model: what is asked: the name of the graph, or `graph/worker`; a thread resumes with the same only.
        thread: the name of the conversation; None remembers nothing.
        owner: what the checkpointer's key of the thread begins with.
        checkpoint: the checkpoint of the thread to continue from, instead of its end.
        resume: the answer to what the thread's last run asked; None takes the message.
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
    pieces: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def question(self) -> str:
        """Return the text of the last message."""
        return str(self.messages[-1].text)

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
