"""Which neighbour takes the query: the Octopus's choice, weighed by cost and moved on where it is full."""

from __future__ import annotations

from agents.ledger import Ledger, usage_of
from agents.types import Branch, Hop, NodeName
from graphs.state import Decision
from graphs.traversal import Crossing, Walk

_ELIGIBLE = 0.2  # share of the best probability from which a choice may be taken for its cost


def gated(walk: Walk, crossing: Crossing, decision: Decision) -> Decision:
    """The decision, or decisions to follow in parallel, after cost policy, capacity and experts."""
    decided = [_gate(walk, crossing, one) for one in decision["fan"] or [decision]]
    if not walk.steps:
        decided = [expert for one in decided for expert in _experts(walk, crossing, one)]
    return decided[0] if len(decided) == 1 else Decision(**{**decided[0], "fan": decided})


def escalation(
    walk: Walk, crossing: Crossing, stronger: NodeName | None, decision: Decision
) -> Decision | None:
    """On to the stronger worker of the spec: after a failed verdict, no answer, or low confidence."""
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
    aimed = crossing.aim(decision, stronger, reason, "token")
    aimed["master"], aimed["step"] = crossing.name, walk.steps + 1
    aimed["probability"], aimed["seconds"] = 1.0, 0.0
    return aimed


def account(ledger: Ledger, hop: Hop) -> Hop:
    """The hop with what it cost, and what the most probable choice would have cost more."""
    usage, node = usage_of(hop["evidence"]), NodeName(hop["node"])
    if hop["status"] == "answered":
        ledger.record(node, usage, hop["seconds"])
    cost = ledger.cost(node, usage) if any(usage) else 0.0
    best = NodeName(hop["choices"][0]["node"]) if hop["choices"] else node
    saved = ledger.cost(best, usage) - cost if any(usage) and ledger.profile(best).price else 0.0
    return {**hop, "cost": cost, "saved": saved}


def _gate(walk: Walk, crossing: Crossing, decision: Decision) -> Decision:
    """The decision after cost policy and capacity, with the reason; a place is held where it leads.

    A choice that a person took stays.
    """
    if decision["node"] is None or decision["decided_by"] == "user":
        return decision
    decision = _within_capacity(crossing, _by_policy(walk, crossing, decision))
    node = NodeName(str(decision["node"]))
    if crossing.ledger.profile(node).capacity is not None:
        crossing.ledger.promise(node)
    return decision


def _experts(walk: Walk, crossing: Crossing, decision: Decision) -> list[Decision]:
    """The same query for the first `experts` choices, in parallel; one where only one is wanted or listed.

    Source: top-k gating of mixtures of experts (Shazeer et al., arXiv 1701.06538), at the level of models.
    """
    branch = decision["branch"]
    wanted = min(walk.context.experts, walk.context.max_hops // branch["parts"])
    listed = [(node, p) for node, p in crossing.ranked(decision) if node != decision["node"]]
    if decision["node"] is None or wanted < 2 or not listed:
        return [decision]
    chosen = [decision]
    for node, p in listed[: wanted - 1]:
        chosen.append(crossing.aim(decision, node, f"{node} is asked too, {p:.2f}.", "token"))
    many = len(chosen)
    return [
        Decision(**{**one, "branch": Branch(**{**branch, "expert": rank, "experts": many})})
        for rank, one in enumerate(chosen)
    ]


def _by_policy(walk: Walk, crossing: Crossing, decision: Decision) -> Decision:
    policy, chosen = walk.context.policy, str(decision["node"])
    ranked = crossing.ranked(decision)
    if policy == "quality" or len(ranked) < 2:
        return decision
    least = _ELIGIBLE * ranked[0][1]
    node = crossing.ledger.prefer(policy, [(name, p) for name, p in ranked if p >= least])
    if node == chosen:
        return decision
    reason = f"{decision['reason']} Policy {policy}: {node} costs less than {chosen}."
    return crossing.aim(decision, node, reason, "token")


def _within_capacity(crossing: Crossing, decision: Decision) -> Decision:
    """Overflow goes to the next choice that has a place; where none has, the first waits."""
    first = NodeName(str(decision["node"]))
    if not crossing.ledger.full(first):
        return decision
    free = [name for name, _ in crossing.ranked(decision) if name != first and not crossing.ledger.full(name)]
    if not free:
        return decision
    capacity = crossing.ledger.profile(first).capacity
    reason = f"{decision['reason']} {first} is at its capacity of {capacity}, so {free[0]} takes it."
    return crossing.aim(decision, free[0], reason, "token")
