"""Interrupts: ask the user when nobody fits, and let a person approve every step before it runs.

The run stops at LangGraph's `interrupt` with a JSON value and goes on with `Command(resume=text)`.
"""

from __future__ import annotations

from typing import Any

from langgraph.config import get_config
from langgraph.types import interrupt

from graphs.state import Decision
from graphs.traversal import Crossing, Walk, stop

_PATIENCE = 3  # questions to the user at one step
_YES, _NO = frozenset({"", "y", "yes", "true", "ok"}), frozenset({"n", "no", "false", "stop"})


async def decide_with_user(walk: Walk, crossing: Crossing) -> Decision:
    """The Octopus's decision; where it is to ask, the user's answer decides.

    The answer is a neighbour's name or token, or more words, with which the Octopus decides again.
    """
    decision, said = await walk.decide(crossing), ""
    for _ in range(_PATIENCE):
        if decision["decided_by"] != "ask" or not walk.context.ask_user or not _can_interrupt():
            break
        answer = str(interrupt({"kind": "ask", **_shown(decision), "choices": decision["choices"]}))
        if node := crossing.find(answer):
            return crossing.aim(decision, node, f"You chose {node}.", "user")
        said = f"{said}\n{answer}".strip()
        decision = await walk.decide(crossing, said=said)
    return decision


def approve(walk: Walk, crossing: Crossing, decision: Decision) -> Decision:
    """The decision if a person approves it: `y`, `n`, or another neighbour's name or token."""
    if not walk.context.approve or not _can_interrupt():
        return decision
    steps = decision["fan"] or [decision]
    if all(step["node"] is None for step in steps):
        return decision
    request = {"kind": "approve", "steps": [_shown(step) for step in steps]}
    for _ in range(_PATIENCE):
        said = str(interrupt(request)).strip()
        if said.casefold() in _YES:
            return decision
        if said.casefold() in _NO:
            break
        node = crossing.find(said)
        if node and not decision["fan"]:
            return crossing.aim(decision, node, f"You chose {node}.", "user")
        request = {**request, "error": f"{said!r} is neither y, n nor a neighbour of {crossing.name}."}
    return stop(crossing.name, "You did not approve this step.", walk)


def _shown(decision: Decision) -> dict[str, Any]:
    return {
        "master": decision["master"],
        "node": decision["node"],
        "token": decision["token"],
        "probability": decision["probability"],
        "query": decision["rewritten"],
        "question": decision["question"],
        "reason": decision["reason"],
    }


def _can_interrupt() -> bool:
    # Without a thread there is nothing to resume.
    return "thread_id" in get_config().get("configurable", {})
