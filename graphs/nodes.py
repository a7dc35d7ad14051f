"""Define what happens at each node of the graph, on typed state."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.func import task
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.types import Command

from agents.ledger import Ledger
from agents.modalities import attachments_of, modalities_of
from agents.octopus.tokens import END_TOKEN
from agents.reflection.types import Verifier
from agents.reflection.worker import Judge
from agents.types import (
    UNANSWERED,
    Failure,
    Hop,
    NodeName,
    Worker,
    WorkerAnswer,
    WorkerRequest,
    failure,
)
from agents.workers.specialist import Reader
from graphs.blocking import Work, blocking_task, cancellable
from graphs.branches import decide_parts, judged, merged, outcomes, second_choice, send
from graphs.gating import NOT_APPROVED, account, approve, decide_with_user, escalation, gated
from graphs.node_spec import WorkerSpec
from graphs.reflection import Reflecting
from graphs.state import GraphContext, GraphState
from graphs.tool_turns import asked_and_since, check_last, for_client, for_worker, message_name
from graphs.traversal import RoutingNode, Walk, executed, is_alone, stop, with_reference

Update = dict[str, Any]
Answering = Callable[..., Awaitable[Any]]


async def guard_node(state: GraphState, runtime: Runtime[GraphContext]) -> Update:
    """Open a turn.

    Raises:
        InputError: the last message is neither a question of the user nor a tool's result.
    """
    check_last(state["messages"])
    return {"turn": uuid.uuid4().hex, "planned": [stop("", "")], "walking": None}


def master_node(at: RoutingNode) -> Work:
    """Make a node that routes: it leaves what it planned for the conditional edge."""

    async def route(state: GraphState, runtime: Runtime[GraphContext]) -> Update:
        walk = Walk.of(state, runtime)
        planned = await decide_parts(walk, at) or [await decide_with_user(walk, at)]
        planned = approve(walk, at, gated(walk, at, planned))
        update: Update = {"planned": planned} | _walking(planned)
        hop = planned[0]
        if not hop["node"] and not _ends_well(walk, hop):
            # Nobody answers: the reason does.
            declined = executed(hop, WorkerAnswer("declined", hop["reason"], failure=_why(walk, hop)))
            update["hops"] = [declined | {"ended": hop["reason"]}]
        return update

    return route


def worker_node(
    name: NodeName,
    spec: WorkerSpec,
    worker: Worker,
    routing: Mapping[NodeName, RoutingNode],
    verifier: Verifier | None = None,
) -> tuple[Work, Work]:
    """Make a node that answers, after reflection where that is asked for, and its form for blocking runs.

    Then its own Octopus, if it has one, picks a neighbour or `<nexa_end>`.
    """
    at, ledger = routing.get(name), next(iter(routing.values())).ledger
    reader = Reader(name, worker, frozenset(spec.modalities))
    # A function takes text only, whatever the spec says.
    sees_conversation = spec.sees_conversation and getattr(worker, "sees_conversation", True)
    answer_in_time = _answering(name, reader, ledger, Reflecting(name, spec.reflection, verifier))

    async def work(
        state: GraphState, runtime: Runtime[GraphContext], *, call: Answering
    ) -> Update | Command[str]:
        walk, planned = Walk.of(state, runtime), state["planned"][0]
        if not sees_conversation:
            planned = with_reference(planned)
        seconds = min(walk.context.timeout, max(0.0, walk.seconds_left))
        request = WorkerRequest(
            query=planned["query"],
            readings=planned.get("readings"),  # an earlier version of this program planned none
            conversation=list(walk.conversation[:-1]) if sees_conversation else (),
            idempotency_key=_key(walk, name),
            generation=walk.context.generation,
            attachments=_attached(spec, walk),
            since=for_worker(name, walk.since),
            limits=walk.limits,
        )
        answer, took = await call(request, seconds, walk.context, planned["probability"], runtime.store)
        hop = account(ledger, executed(planned, WorkerAnswer(**answer), took))
        after = walk.after(hop)
        if at is not None and hop["calls"]:
            ending = [stop(name, "", after)]
            return {"hops": [hop], "planned": ending} | _walking(ending)
        if at is None:
            return _or_second_choice(state, after, routing[NodeName(planned["master"])])
        following = [escalation(after, at, spec.stronger, planned) or await decide_with_user(after, at)]
        following = approve(after, at, following)
        if following[0]["token"] == END_TOKEN:
            hop["ended"] = following[0]["reason"]
        return {"hops": [hop], "planned": following} | _walking(following)

    if at is None:
        answering = partial(work, call=answer_in_time)
        return answering, answering
    # As a LangGraph task its answer is kept, so that it does not run again when its Octopus is resumed.
    kept: Any = task(answer_in_time, name=f"{name}.answer")
    blocking: Any = task(name=f"{name}.answer")(blocking_task(answer_in_time))

    async def kept_by_blocking(*arguments: Any) -> Any:
        return await asyncio.wrap_future(blocking(*arguments))

    return partial(work, call=kept), partial(work, call=kept_by_blocking)


def answer_node(judge: Judge | None) -> Work:
    """Close the turn: the answer of every part, in the order of the question."""

    async def close(state: GraphState, runtime: Runtime[GraphContext]) -> Update:
        if state.get("walking", 0) > 0:
            # LangGraph's defer does not see branches that go on by Send; the last one comes here again.
            return {}
        hops = [hop for hop in state.get("hops", []) if hop["turn"] == state["turn"]]
        if judge is not None and runtime.context and runtime.context.vote == "judge":
            found = await judged(hops, str(asked_and_since(state["messages"])[0][-1].text), judge)
        else:
            found = outcomes(hops)
        name = found[0]["node"] if len(found) == 1 else ""
        trace = _trace(state["turn"], hops, found)
        calls = [one for hop in found for one in for_client(NodeName(hop["node"]), hop.get("calls", []))]
        said = AIMessage(merged(found), name=message_name(name), additional_kwargs=trace, tool_calls=calls)
        return {"messages": [said]}

    return close


def _trace(turn: str, hops: Sequence[Hop], found: Sequence[Hop]) -> dict[str, Any]:
    trace: dict[str, Any] = {"turn": turn, "path": [hop["node"] for hop in hops if hop["node"]]}
    if all(hop["status"] != "answered" for hop in found):
        trace[UNANSWERED] = True
    if ended := [hop["ended"] for hop in found if hop["ended"]]:
        trace["ended"] = ended
    if any(hop["cost"] or hop["saved"] for hop in hops):
        trace |= {key: round(sum(hop[key] for hop in hops), 9) for key in ("cost", "saved")}
    return trace


def _or_second_choice(state: GraphState, walk: Walk, master: RoutingNode) -> Update | Command[str]:
    """Return the update with the last hop; where it has no answer, go on to the master's next choice."""
    update = {"hops": [walk.hops[-1]]}
    second = second_choice(walk, master, state["planned"][0])
    if second is None:
        return update | _walking([stop("", "", walk)])
    return Command(update=update, goto=send(second["node"], second, state, walk.hops))


def _walking(planned: Sequence[Hop]) -> Update:
    """Count the branches that begin with the planned hops, or the one that ends with it."""
    if len(planned) > 1:
        return {"walking": len(planned)}
    ended = not planned[0]["node"] and not is_alone(planned[0]["branch"])
    return {"walking": -1} if ended else {}


def _why(walk: Walk, hop: Hop) -> Failure:
    if hop["decided_by"] == "ask":
        return failure("abstained")
    if hop["reason"] == NOT_APPROVED:
        return failure("not_approved")
    return failure("budget_exhausted" if walk.exhausted() else "declined")


def _ends_well(walk: Walk, hop: Hop) -> bool:
    return bool(walk.hops) and not walk.exhausted() and hop["decided_by"] != "ask"


def _answering(name: NodeName, worker: Worker, ledger: Ledger, reflecting: Reflecting) -> Any:
    async def answer(
        request: WorkerRequest,
        seconds: float,
        context: GraphContext,
        probability: float,
        store: BaseStore | None,
    ) -> tuple[dict[str, Any], float]:
        """Return the answer in JSON values, and the seconds it took."""
        started = time.perf_counter()
        try:
            async with ledger.serving(name):
                if reflecting.mode(context) == "none" or seconds <= 0 or _is_bare(request):
                    async with asyncio.timeout(seconds):
                        found = await cancellable(worker.answer(replace(request, seconds=seconds)))
                else:  # it keeps to its budget itself, and brings the best draft that it has then
                    bounded = context.model_copy(update={"timeout": seconds})
                    found = await cancellable(reflecting.answer(worker, request, bounded, probability, store))
        except TimeoutError:
            late = f"No answer within {seconds:g} seconds."
            found = WorkerAnswer("unavailable", late, failure=failure("timeout"))
        return asdict(found), time.perf_counter() - started

    return answer


def _key(walk: Walk, name: NodeName) -> str:
    """Return the idempotency key of a hop: the same for every attempt at it."""
    branch = "" if is_alone(walk.branch) else f"{walk.branch['part']}.{walk.branch['expert']}:"
    return f"{walk.turn}:{branch}{walk.steps}:{name}"


def _attached(spec: WorkerSpec, walk: Walk) -> list[dict[str, Any]]:
    """Return the images and audio of the question; after an answer in words, only what `spec` reads."""
    attached = attachments_of(walk.conversation[-1])
    if not any(hop["status"] == "answered" for hop in walk.hops):
        return attached
    return [one for one in attached if modalities_of([one]) <= set(spec.modalities)]


def _is_bare(request: WorkerRequest) -> bool:
    """Return whether there is no draft to reflect on: the client runs tools, or wants several answers."""
    asked = request.generation
    return bool(asked.offers_tools or request.since or asked.logprobs or (asked.n or 1) > 1)
