"""Gate what an Octopus chose: a person decides or approves; cost, capacity and experts; a stronger worker.

For a person the run stops at LangGraph's `interrupt` with a JSON value, and continues with
`Command(resume=text)`.
"""

from __future__ import annotations

from typing import Any

from langgraph.config import get_config
from langgraph.types import interrupt

from agents.ledger import Ledger, usage_of
from agents.types import Branch, Hop, NodeName
from graphs.traversal import RoutingNode, Walk, stop

NOT_APPROVED = "You did not approve this step."
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
    return [stop(at.name, NOT_APPROVED, walk)]


def _shown(hop: Hop) -> dict[str, Any]:
    shown = {key: hop[key] for key in _SHOWN}  # type: ignore[literal-required]
    return {**shown, "node": hop["node"] or None}


def _can_interrupt() -> bool:
    # Without a thread there is nothing to resume.
    return "thread_id" in get_config().get("configurable", {})


_ELIGIBLE = 0.2  # share of the best probability from which a choice may be taken for its cost


def gated(walk: Walk, at: RoutingNode, planned: list[Hop]) -> list[Hop]:
    """Return the planned hops after cost policy, capacity and experts."""
    found = [_gate(walk, at, hop) for hop in planned]
    return found if walk.steps else [expert for hop in found for expert in _experts(walk, at, hop)]


def escalation(walk: Walk, at: RoutingNode, stronger: NodeName | None, before: Hop) -> Hop | None:
    """Hand over to the stronger worker of the spec after a failed verdict, no answer, or low confidence."""
    hop = walk.hops[-1]
    if stronger is None or walk.exhausted():
        return None
    if hop["evidence"].get("verdict") in ("failed", False):
        why = "its answer was found wrong"
    elif hop["status"] != "answered":
        why = "it could not answer"
    elif hop["probability"] < walk.context.escalate_below:
        why = f"its probability was only {hop['probability']:.2f}"
    else:
        return None
    reason = f"{hop['node']} hands over to {stronger}, which is stronger: {why}."
    following = at.redirect(before, stronger, reason)
    following |= {"master": at.name, "step": walk.steps + 1, "probability": 1.0, "seconds": 0.0}
    return following


def account(ledger: Ledger, hop: Hop) -> Hop:
    """Return the hop with what it cost, and what the most probable choice would have cost more."""
    usage, node = usage_of(hop["evidence"]), NodeName(hop["node"])
    if hop["status"] == "answered":
        ledger.record(node, usage, hop["seconds"])
    cost = ledger.cost(node, usage) if any(usage) else 0.0
    best = NodeName(hop["choices"][0]["node"]) if hop["choices"] else node
    saved = ledger.cost(best, usage) - cost if any(usage) and ledger.profile(best).price else 0.0
    return {**hop, "cost": cost, "saved": saved}


def _gate(walk: Walk, at: RoutingNode, hop: Hop) -> Hop:
    """Return the hop after cost policy and capacity, with the reason, and hold a place where it leads.

    A choice that a person took stays, and so does the worker that called tools.
    """
    if not hop["node"] or hop["decided_by"] in ("user", "call"):
        return hop
    hop = _within_capacity(at, _by_policy(walk, at, hop))
    node = NodeName(hop["node"])
    if at.ledger.profile(node).capacity is not None:
        at.ledger.promise(node)
    return hop


def _experts(walk: Walk, at: RoutingNode, hop: Hop) -> list[Hop]:
    """Plan the same query for the first `experts` choices; one where only one is wanted or listed.

    Source: top-k gating of mixtures of experts (Shazeer et al., arXiv 1701.06538), at the level of models.
    """
    branch = hop["branch"]
    wanted = min(walk.context.experts, walk.context.max_hops // branch["parts"])
    listed = [(node, p) for node, p in at.ranked(hop) if node != hop["node"]]
    if not hop["node"] or wanted < 2 or not listed:
        return [hop]
    others = listed[: wanted - 1]
    chosen = [hop, *(at.redirect(hop, node, f"{node} is asked too, {p:.2f}.") for node, p in others)]
    for rank, one in enumerate(chosen):
        one["branch"] = Branch(**{**branch, "expert": rank, "experts": len(chosen)})
    return chosen


def _by_policy(walk: Walk, at: RoutingNode, hop: Hop) -> Hop:
    policy, chosen = walk.context.policy, hop["node"]
    ranked = at.ranked(hop)
    if policy == "quality" or len(ranked) < 2:
        return hop
    least = _ELIGIBLE * ranked[0][1]
    node = at.ledger.prefer(policy, [(name, p) for name, p in ranked if p >= least])
    if node == chosen:
        return hop
    return at.redirect(hop, node, f"{hop['reason']} Policy {policy}: {node} costs less than {chosen}.")


def _within_capacity(at: RoutingNode, hop: Hop) -> Hop:
    """Send what is over capacity to the next choice that has a place; where none has, the first waits."""
    first = NodeName(hop["node"])
    if not at.ledger.full(first):
        return hop
    free = [name for name, _ in at.ranked(hop) if name != first and not at.ledger.full(name)]
    if not free:
        return hop
    capacity = at.ledger.profile(first).capacity
    reason = f"{hop['reason']} {first} is at its capacity of {capacity}, so {free[0]} takes it."
    return at.redirect(hop, free[0], reason)
