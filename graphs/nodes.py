"""What happens at each node of the graph, on typed state."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any, Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.runtime import Runtime

from agents.errors import InputError, RoutingError
from agents.octopus.tokens import END_TOKEN
from agents.reflection.types import Verifier
from agents.types import Hop, NodeName, Octopus, Route, Worker, WorkerAnswer, WorkerRequest
from graphs.reflection import Reflecting
from graphs.spec import WorkerSpec
from graphs.state import Decision, GraphContext, GraphState

Update = dict[str, Any]


class Node(Protocol):
    """A node that reads the run-time context; LangGraph passes `runtime` by name."""

    async def __call__(self, state: GraphState, runtime: Runtime[GraphContext]) -> Update:
        """The update of the state."""
        ...


async def guard_node(state: GraphState) -> Update:
    """Open a turn.

    Raises:
        InputError: the last message is not a question from the user.
    """
    if not state["messages"] or not isinstance(state["messages"][-1], HumanMessage):
        raise InputError("the last message must be from the user.", hint="Send a human message last.")
    return {"turn": uuid.uuid4().hex, "steps": 0}


def master_node(name: NodeName, octopus: Octopus) -> Node:
    """A node that routes: it leaves its decision for the conditional edge."""

    async def route(state: GraphState, runtime: Runtime[GraphContext]) -> Update:
        if state["steps"] >= _context(runtime).max_hops:
            return {"decision": _stop(name, f"the budget of {_context(runtime).max_hops} hops is used up.")}
        started = time.perf_counter()
        decision = _decision(name, await octopus.route(state["messages"]), time.perf_counter() - started)
        return {"decision": decision, "steps": state["steps"] + 1}

    return route


def worker_node(
    name: NodeName,
    spec: WorkerSpec,
    worker: Worker,
    octopus: Octopus | None,
    verifier: Verifier | None = None,
) -> Node:
    """A node that answers, after reflection where that is asked for.

    Where it could not, its own Octopus, if it has one, picks a neighbour.
    """

    reflecting = Reflecting(name, spec.reflection, verifier)

    async def work(state: GraphState, runtime: Runtime[GraphContext]) -> Update:
        decision, started = state["decision"], time.perf_counter()
        request = WorkerRequest(
            query=decision["rewritten"],
            question=decision["question"],
            conversation=_earlier(state["messages"]) if spec.sends == "conversation" else (),
            idempotency_key=f"{state['turn']}:{state['steps']}:{name}",
        )
        context = _context(runtime)
        if reflecting.mode(context) == "none":
            answer = await _in_time(worker, request, context.timeout)
        else:
            sure = decision["probability"]
            answer = await reflecting.answer(worker, request, context, sure, runtime.store)
        hop = _hop(state["turn"], name, decision, answer, time.perf_counter() - started)
        update: Update = {"hops": [hop]}
        if octopus is not None:
            update |= await _hand_over(name, octopus, state, runtime, answer)
        return update

    return work


async def answer_node(state: GraphState) -> Update:
    """Close the turn: the last hop's answer as a message, or why nobody was asked."""
    hops = [hop for hop in state.get("hops", []) if hop["turn"] == state["turn"]]
    trace = {"turn": state["turn"], "path": [hop["node"] for hop in hops]}
    if hops:
        text, name = hops[-1]["answer"], hops[-1]["node"]
        return {"messages": [AIMessage(text, name=_message_name(name), additional_kwargs=trace)]}
    decision = state["decision"]
    hop = _hop(state["turn"], "", decision, WorkerAnswer("declined", decision["reason"]), 0.0)
    return {"messages": [AIMessage(decision["reason"], additional_kwargs=trace)], "hops": [hop]}


async def _hand_over(
    name: NodeName,
    octopus: Octopus,
    state: GraphState,
    runtime: Runtime[GraphContext],
    answer: WorkerAnswer,
) -> Update:
    """Go on to a neighbour only when this worker could not answer and hops are left."""
    if answer.status == "answered" or state["steps"] >= _context(runtime).max_hops:
        return {"decision": _stop(name, "the worker's answer stands.")}
    route = await octopus.route(state["messages"])
    return {"decision": _decision(name, route, 0.0), "steps": state["steps"] + 1}


async def _in_time(worker: Worker, request: WorkerRequest, seconds: float) -> WorkerAnswer:
    try:
        async with asyncio.timeout(seconds):
            return await worker.answer(request)
    except TimeoutError:
        return WorkerAnswer("unavailable", f"No answer within {seconds:g} seconds.")


def _context(runtime: Runtime[GraphContext]) -> GraphContext:
    # A graph invoked without a context has None here.
    return runtime.context or GraphContext()


def _earlier(messages: list[Any]) -> list[BaseMessage]:
    return list(messages[:-1])


def _decision(master: NodeName, route: Route, seconds: float) -> Decision:
    if (route.node is None) != (route.token is None):
        raise RoutingError(f"the Octopus of {master!r} gave node {route.node!r} with token {route.token!r}.")
    return Decision(
        master=master,
        token=route.token or END_TOKEN,
        node=route.node,
        probability=route.probability,
        calibrated=route.calibrated,
        rewritten=route.rewritten,
        question=route.question,
        reason=route.reason,
        choices=[
            {"token": choice.token, "node": choice.node, "probability": round(choice.probability, 6)}
            for choice in route.choices
        ],
        seconds=seconds,
    )


def _stop(master: NodeName, reason: str) -> Decision:
    return Decision(
        master=master,
        token=END_TOKEN,
        node=None,
        probability=1.0,
        calibrated=False,
        rewritten="",
        question="",
        reason=reason,
        choices=[],
        seconds=0.0,
    )


def _hop(turn: str, node: str, decision: Decision, answer: WorkerAnswer, seconds: float) -> Hop:
    return Hop(
        turn=turn,
        master=decision["master"],
        token=decision["token"],
        node=node,
        probability=decision["probability"],
        calibrated=decision["calibrated"],
        query=decision["rewritten"],
        reason=decision["reason"],
        status=answer.status,
        answer=answer.text,
        evidence=answer.evidence,
        choices=decision["choices"],
        seconds=decision["seconds"] + seconds,
    )


def _message_name(node: str) -> str:
    # OpenAI-compatible servers refuse names with other characters.
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in node)[:64]
