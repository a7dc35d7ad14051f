"""Run reflection as LangGraph subgraphs: a node per step, so that each round is a checkpoint and an event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore

from agents.reflection.algorithms import ALGORITHMS
from agents.reflection.loop import LESSONS, Algorithm, Budget, ReflectionResult, follow, take
from agents.reflection.types import Lesson, Mode, Parts, ReflectionState, Update, Verifier, new_state
from agents.reflection.worker import JudgeVerifier, WholeAnswers, WorkerCritic, WorkerGenerator
from agents.types import Worker, WorkerAnswer, WorkerRequest, failure
from graphs.node_spec import ReflectionSpec
from graphs.state import GraphContext

ReflectionGraph = StateGraph[ReflectionState, None, ReflectionState, ReflectionState]


def reflection_graph(algorithm: Algorithm) -> ReflectionGraph:
    """Build the uncompiled subgraph of an algorithm; its input is `new_state(question)`."""
    graph: ReflectionGraph = StateGraph(ReflectionState)
    names = dict.fromkeys(algorithm.steps)

    def node(name: str) -> Any:
        async def step(state: ReflectionState) -> Update:
            return await take(algorithm, name, state)

        return step

    def edge(done: str | None) -> Callable[[ReflectionState], str]:
        return lambda state: follow(algorithm, done, state) or END

    ends = {name: name for name in names} | {END: END}
    for name in names:
        graph.add_node(name, node(name))
        graph.add_conditional_edges(name, edge(name), cast(Any, ends))
    graph.add_conditional_edges(START, edge(None), cast(Any, ends))
    return graph


@dataclass(frozen=True, slots=True)
class StoreMemory:
    """Keep lessons of a worker in a LangGraph store, for later runs and other threads."""

    store: BaseStore
    node: str

    async def recall(self, question: str) -> Sequence[Lesson]:
        """Return the latest lessons on this question."""
        found = await self.store.asearch(self._namespace, filter={"question": question}, limit=100)
        latest = sorted(found, key=lambda item: item.created_at)[-LESSONS:]
        return [Lesson(draft=item.value["draft"], feedback=item.value["feedback"]) for item in latest]

    async def keep(self, question: str, lesson: Lesson) -> None:
        """Remember a lesson."""
        await self.store.aput(self._namespace, uuid4().hex, {"question": question, **lesson})

    @property
    def _namespace(self) -> tuple[str, ...]:
        return ("reflexion", self.node.replace(".", "_"))


@dataclass(frozen=True, slots=True)
class Reflecting:
    """Reflect on the drafts of one worker, by its spec; `verifier` is a tool or a schema, if there is one."""

    node: str
    spec: ReflectionSpec
    verifier: Verifier | None = None

    def mode(self, context: GraphContext) -> Mode:
        """Return the mode of this call: the context's, else the spec's."""
        return context.reflection or self.spec.mode

    def budget(self, context: GraphContext) -> Budget:
        """Return the budget of this call, which a worker's timeout bounds too."""
        seconds = context.reflection_seconds or self.spec.seconds
        return Budget(
            rounds=context.reflection_rounds or self.spec.rounds,
            tokens=context.reflection_tokens or self.spec.tokens,
            seconds=min(seconds, context.timeout),
        )

    async def answer(
        self,
        worker: Worker,
        request: WorkerRequest,
        context: GraphContext,
        probability: float,
        store: BaseStore | None = None,
    ) -> WorkerAnswer:
        """Answer with the worker's best draft; its evidence holds the rounds under `reflection`.

        Raises:
            Exception: of the worker, if there is no first draft.
        """
        mode, budget = self.mode(context), self.budget(context)
        algorithm = ALGORITHMS[mode](self._parts(mode, worker, request, store), budget)
        compiled = reflection_graph(algorithm).compile(name=f"{self.node}_reflection")
        # A round has at most eight steps.
        config: Any = {"recursion_limit": 8 * budget.rounds + 8}
        try:
            state = await compiled.ainvoke(new_state(request.query, probability), config)
        except TimeoutError:
            late = f"No answer within {budget.seconds:g} seconds."
            return WorkerAnswer("unavailable", late, failure=failure("timeout"))
        return _answer(mode, ReflectionResult.of(cast(ReflectionState, state)))

    def _parts(self, mode: Mode, worker: Worker, request: WorkerRequest, store: BaseStore | None) -> Parts:
        generator = WorkerGenerator(worker, request)
        judged = self.spec.verifier == "model" or mode in ("reflexion", "lats")  # these need a verdict
        judge = JudgeVerifier(worker, request) if judged else None
        return Parts(
            generator,
            WorkerCritic(worker, request),
            self.verifier or judge,
            WholeAnswers(generator),
            StoreMemory(store, self.node) if store is not None else None,
        )


def _answer(mode: Mode, result: ReflectionResult) -> WorkerAnswer:
    trace = {
        "mode": mode,
        "level": result.level or mode,
        "reason": result.reason,
        "tokens": result.tokens,
        "read": result.read,
        "seconds": round(result.seconds, 3),
        "rounds": [
            {name: value for name, value in one.items() if name != "evidence"} for one in result.rounds
        ],
    }
    evidence = result.best["evidence"] | {"reflection": trace}
    if "usage" in evidence:  # all drafts and verdicts cost, not only the best draft
        used = {"input_tokens": result.read, "output_tokens": result.tokens}
        evidence["usage"] = used | {"total_tokens": result.read + result.tokens}
    if result.best["score"] is not None:  # a failed verdict escalates to a stronger worker
        evidence["verdict"] = "passed" if result.best["passed"] else "failed"
    return WorkerAnswer(result.status, result.best["draft"], evidence)
