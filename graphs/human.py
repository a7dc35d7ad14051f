"""Interrupt a run: ask the user when nobody fits, and let a person approve every step before it runs.

The run stops at LangGraph's `interrupt` with a JSON value and continues with `Command(resume=text)`.
"""

from __future__ import annotations

from typing import Any

from langgraph.config import get_config
from langgraph.types import interrupt

from agents.types import Hop
from graphs.traversal import RoutingNode, Walk, stop

_SHOWN = ("master", "node", "token", "probability", "query", "question", "reason")
_PATIENCE = 3  # questions to the user at one step
_YES, _NO = frozenset({"", "y", "yes", "true", "ok"}), frozenset({"n", "no", "false", "stop"})


async def decide_with_user(walk: Walk, at: RoutingNode) -> Hop:
    """Return the hop that the Octopus wants; where it is to ask, the user's answer decides.

    The answer is a neighbour's name or token, or more words, with which the Octopus decides again.
    """
    hop, said = await walk.decide(at), ""
    for _ in range(_PATIENCE):
        if hop["decided_by"] != "ask" or not walk.context.ask_user or not _can_interrupt():
            break
        answer = str(interrupt({"kind": "ask", **_shown(hop), "choices": hop["choices"]}))
        if node := at.find(answer):
            return at.redirect(hop, node, f"You chose {node}.", "user")
        said = f"{said}\n{answer}".strip()
        hop = await walk.decide(at, said=said)
    return hop


def approve(walk: Walk, at: RoutingNode, planned: list[Hop]) -> list[Hop]:
    """Return the planned hops if a person approves them: `y`, `n`, or another neighbour's name or token."""
    if not walk.context.approve or not _can_interrupt() or not any(hop["node"] for hop in planned):
        return planned
    request = {"kind": "approve", "steps": [_shown(hop) for hop in planned]}
    for _ in range(_PATIENCE):
        said = str(interrupt(request)).strip()
        if said.casefold() in _YES:
            return planned
        if said.casefold() in _NO:
            break
        node = at.find(said)
        if node and len(planned) == 1:
            return [at.redirect(planned[0], node, f"You chose {node}.", "user")]
        request = {**request, "error": f"{said!r} is neither y, n nor a neighbour of {at.name}."}
    return [stop(at.name, "You did not approve this step.", walk)]


def _shown(hop: Hop) -> dict[str, Any]:
    shown = {key: hop[key] for key in _SHOWN}  # type: ignore[literal-required]
    return {**shown, "node": hop["node"] or None}


def _can_interrupt() -> bool:
    # Without a thread there is nothing to resume.
    return "thread_id" in get_config().get("configurable", {})
