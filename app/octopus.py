"""Ask an Octopus from Python: load a graph or make one of your own workers, and ask, stream, route or plan.

    from app import Octopus

    with Octopus.load("mmlu") as octopus:
        print(octopus.ask("What is the derivative of x^4?").text)

Each method has an async form: `aask`, `astream`, `aroute`, `aplan`. The others work in any thread, even where
an event loop is running.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.base import BaseStore

from agents.octopus.conversation.human_turns import clean_query, clean_turns
from agents.types import Decision, NodeName
from app.persistence.checkpoints import config_of, messages_of
from app.persistence.errors import ThreadBusyError
from app.persistence.locks import locked
from app.runs.events import Answered, Event
from app.runs.memory import Memory
from app.runs.run import Compiled, Run
from app.runs.runner import Person, Runner
from app.runs.traces import TraceLog
from app.settings import Settings
from graphs.assembly import Assembly, assemble, find_spec
from graphs.blocking import iterate, run
from graphs.settings import read_models
from graphs.spec import GraphSpec
from graphs.spec_file import spec_of
from graphs.state import GraphContext

if TYPE_CHECKING:
    from agents.octopus.planning.planner import Plan
    from graphs.build import Graph

Question = str | Sequence[BaseMessage]
Tools = Mapping[str, Sequence[object]]


class Options(TypedDict, total=False):
    """Say what all runs of an Octopus share.

    Attributes:
        checkpointer: keeps threads; by default one in the storage of the settings, opened on first need.
        store: keeps what reflection learns; by default one in the same storage.
        context: budgets, policy and reflection.
    """

    checkpointer: BaseCheckpointSaver[Any] | None
    store: BaseStore | None
    context: GraphContext | None


class How(TypedDict, total=False):
    """Say how a question is answered.

    Attributes:
        thread: the name of the conversation to continue; without it, nothing is remembered.
        context: budgets, policy and reflection, instead of those of the Octopus.
        person: answers what the run asks; without it, the run returns with what is asked.
        wait: seconds to wait for while another run has the thread; by default none.
    """

    thread: str | None
    context: GraphContext | None
    person: Person | None
    wait: float


class Octopus:
    """Ask one graph.

    Args:
        assembly: the graph's parts.
        settings: where threads and traces are kept.
        options: see `Options`.
    """

    def __init__(self, assembly: Assembly, settings: Settings, **options: Unpack[Options]) -> None:
        self.assembly = assembly
        self._memory = Memory(settings, options.get("checkpointer"), options.get("store"))
        self._context = options.get("context") or GraphContext()
        self._building = Lock()
        self._runner = Runner(traces=TraceLog(settings.traces) if settings.traces else None)

    @classmethod
    def load(
        cls,
        graph: str | Path,
        *,
        artifact: Path | None = None,
        tools: Tools | None = None,
        models: Mapping[str, str] | Path | None = None,
        settings: Settings | None = None,
        **options: Unpack[Options],
    ) -> Self:
        """Load a shipped graph, a YAML file, or a folder of `octopus graph new`.

        Args:
            graph: its name or path.
            artifact: folder of a trained artifact; None takes the spec's, or the shipped one.
            tools: by worker, what its model may call besides: LangChain tools, and functions with type hints
                and a docstring.
            models: by worker, or a file of them; `*` is for all that have none of their own. The trained
                router stays.
            settings: None reads the environment.
            options: see `Options`.

        Raises:
            SpecError: there is no such graph, its spec is wrong, or a tool or model cannot be used.
        """
        settings = settings or Settings.read()
        if models is not None:
            settings = settings.using(read_models(models))
        assembly = assemble(find_spec(str(graph)), settings, artifact=artifact, tools=tools)
        return cls(assembly, settings, **options)

    @classmethod
    def of(
        cls,
        *,
        name: str = "octopus",
        generalist: str | None = None,
        examples: Mapping[str, Sequence[str]] | None = None,
        tools: Tools | None = None,
        settings: Settings | None = None,
        checkpointer: BaseCheckpointSaver[Any] | None = None,
        store: BaseStore | None = None,
        context: GraphContext | None = None,
        **workers: tuple[str, object],
    ) -> Self:
        """Make a graph of workers: one Octopus, with a functional token for each, in their order.

        Args:
            name: of the graph.
            generalist: the worker that takes what no other clears the threshold for.
            examples: questions that belong to a worker; they sharpen its token.
            tools: by worker that is a chat model, what it may call, as of `load`.
            settings: None reads the environment.
            checkpointer: as of the class, and so are `store` and `context`.
            workers: what each does, and who does it: a LangChain runnable, a compiled graph or agent, a chat
                model, a function of a text, sync or async, or a `Worker`.

        Raises:
            SpecError: a worker or a tool cannot be used, or the generalist is not one of the workers.
        """
        from agents.workers.callables import as_worker

        settings = settings or Settings.read()
        master = {"neighbours": list(workers), "generalist": generalist}
        described = {
            worker: {"description": description, "examples": (examples or {}).get(worker, ())}
            for worker, (description, _) in workers.items()
        }
        spec = spec_of({"name": name, "masters": {"octopus": master}, "workers": described}, source=name)
        answering = {NodeName(worker): as_worker(thing, worker) for worker, (_, thing) in workers.items()}
        assembly = assemble(spec, settings, workers=answering, tools=tools)
        return cls(assembly, settings, checkpointer=checkpointer, store=store, context=context)

    @property
    def spec(self) -> GraphSpec:
        """Return the graph's spec."""
        return self.assembly.spec

    @cached_property
    def graph(self) -> Graph:
        """Return the uncompiled LangGraph `StateGraph`; compiled, it can be a node of your own graph."""
        return self.assembly.graph()

    def ask(self, question: Question, **how: Unpack[How]) -> Answered:
        """Answer a question: text, hops, probability, cost, tokens, status; asked, if a person is to answer.

        Args:
            question: a text, or messages with the question last.
            how: see `How`.

        Raises:
            OctopusGraphError: the question cannot be used, or a part of the graph cannot.
            PersistenceError: the storage of threads cannot be used.
        """
        return run(self._answer(question, how, blocking=True))

    async def aask(self, question: Question, **how: Unpack[How]) -> Answered:
        """Answer a question, as `ask` does."""
        return await self._answer(question, how)

    def stream(self, question: Question, **how: Unpack[How]) -> Iterator[Event]:
        """Yield the events of app.runs.events: decisions, hops, pieces of the answer, and its end last."""
        return iterate(self._events(question, how, blocking=True))

    def astream(self, question: Question, **how: Unpack[How]) -> AsyncGenerator[Event]:
        """Yield events, as `stream` does."""
        return self._events(question, how)

    def route(self, *turns: str) -> Decision:
        """Decide which worker the last of the user's `turns` belongs to, without asking it.

        Raises:
            InputError: a turn is not a text with words.
        """
        return run(self.aroute(*turns))

    async def aroute(self, *turns: str) -> Decision:
        """Decide, as `route` does."""
        octopus = await asyncio.to_thread(lambda: self.assembly.octopuses[self.spec.entry])
        return await octopus.route([HumanMessage(turn.text) for turn in clean_turns(turns)])

    def plan(self, request: str) -> Plan:
        """Plan a path through the graph for a request of several steps, without asking a worker.

        Raises:
            InputError: the request is not a text with words.
        """
        planner = self.assembly.planner
        return planner.plan(planner.read([clean_query(request)])[0])

    async def aplan(self, request: str) -> Plan:
        """Plan, as `plan` does."""
        return await asyncio.to_thread(self.plan, request)

    def messages(self, thread: str) -> list[BaseMessage]:
        """Return what was said in a thread; if its last run was cut short or waits, the question is last."""
        return run(self._messages(thread, blocking=True))

    async def amessages(self, thread: str) -> list[BaseMessage]:
        """Return what was said in a thread, as `messages` does."""
        return await self._messages(thread)

    async def aidle(self, thread: str, wait: float = 0.0) -> bool:
        """Return whether no run has the thread, here or elsewhere, now or within `wait` seconds."""
        saver, _ = await self._memory.open()
        try:
            async with locked(saver, thread, wait):
                return True
        except ThreadBusyError:
            return False

    def close(self) -> None:
        """Close what was opened: threads, the process of the tools, models in this process."""
        run(self._memory.close())
        self.assembly.close()

    async def aclose(self) -> None:
        """Close, as `close` does."""
        await self._memory.close()
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @cached_property
    def _compiled(self) -> Compiled:
        """Return the compiled graph, which keeps nothing."""
        compiled = self.graph.compile(name=self.spec.name)
        self.assembly.warm_up()
        return compiled

    def _ready(self) -> Compiled:
        with self._building:  # threads may ask at once
            return self._compiled

    async def _answer(self, question: Question, how: How, *, blocking: bool = False) -> Answered:
        return await self._runner.answer(await self._run(question, how, blocking), how.get("person"))

    async def _events(self, question: Question, how: How, *, blocking: bool = False) -> AsyncGenerator[Event]:
        asked = replace(await self._run(question, how, blocking), pieces=True)
        async with aclosing(self._runner.events(asked, how.get("person"))) as events:
            async for event in events:
                yield event

    async def _run(self, question: Question, how: How, blocking: bool) -> Run:
        messages = [HumanMessage(clean_query(question))] if isinstance(question, str) else list(question)
        graph, thread = await asyncio.to_thread(self._ready), how.get("thread")
        saver: BaseCheckpointSaver[Any] | None = None
        store = self._memory.given_store(blocking)
        if thread is not None:
            saver, store = await self._memory.open(blocking)
        elif how.get("person") is not None:
            # What waits for a person is kept while it waits.
            thread, saver = uuid.uuid4().hex, InMemorySaver()
        return Run(
            graph.copy({"checkpointer": saver, "store": store}),
            messages,
            how.get("context") or self._context,
            self.spec.name,
            thread,
            wait=how.get("wait", 0.0),
        )

    async def _messages(self, thread: str, blocking: bool = False) -> list[BaseMessage]:
        saver, _ = await self._memory.open(blocking)
        return list(await messages_of(saver, await saver.aget_tuple(config_of(thread))))
