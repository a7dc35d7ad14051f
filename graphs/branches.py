"""Walk in parallel: route each part of a compound question on its own, and merge the answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import groupby, permutations
from typing import get_args

from langchain_core.messages import HumanMessage
from langgraph.types import Send

from agents.modalities import attachments_of
from agents.octopus.conversation.compound import parts_of
from agents.octopus.conversation.human_turns import clean_query
from agents.reflection.worker import Judge
from agents.types import Branch, FailureCode, Hop, NodeName
from graphs.state import GraphState
from graphs.traversal import RoutingNode, Walk, is_alone

_OF_MODELS = frozenset(get_args(FailureCode)) - {  # what another model may do better
    "no_model",
    "declined",
    "abstained",
    "not_approved",
    "budget_exhausted",
}
_LEAST = 0.02  # probability below which a next choice is not asked


async def decide_parts(walk: Walk, at: RoutingNode) -> list[Hop]:
    """Plan a hop for each part of a compound question, to be executed in parallel; none for a whole one.

    Text alone does not decide: every part must also be routed by itself, above the threshold. And parts whose
    workers are linked are steps, not branches: one may need what another answers, so the walk takes them.
    """
    asked = walk.context.generation
    whole = asked.needs_model or asked.offers_tools or walk.since or attachments_of(walk.conversation[-1])
    if walk.steps or not walk.context.parallel or whole:
        return []
    parts = parts_of(clean_query(walk.question))
    if not 1 < len(parts) <= walk.context.max_hops:
        return []
    branches = [
        Branch(part=index, parts=len(parts), expert=0, experts=1, text=text)
        for index, text in enumerate(parts)
    ]
    planned = await asyncio.gather(*(_part(walk, branch).decide(at) for branch in branches))
    stand = all(hop["node"] and hop["decided_by"] in ("token", "tools", "examples") for hop in planned)
    linked = any((a["node"], b["node"]) in at.links for a, b in permutations(planned, 2))
    return list(planned) if stand and not linked else []


def send(node: str, planned: Hop, state: GraphState, hops: Sequence[Hop]) -> Send:
    """Send one branch to `node`, with what it needs of the state."""
    sent = {"messages": state["messages"], "turn": state["turn"], "hops": list(hops), "planned": [planned]}
    return Send(node, sent)


def second_choice(walk: Walk, at: RoutingNode, planned: Hop) -> Hop | None:
    """Plan the next choice after the worker of `planned` could not answer; None for no more.

    A part of a question is asked of any; a whole one of those that another model answers than failed.
    """
    tried, last = {hop["node"] for hop in walk.hops}, walk.hops[-1]
    over = walk.branch["experts"] > 1 or len(tried) > walk.context.second_choices or walk.exhausted()
    if over or last["status"] == "answered":
        return None
    left = [(node, p) for node, p in at.ranked(planned) if node not in tried and p >= _LEAST]
    if walk.branch["parts"] == 1:
        why = last["failure"]
        left = _of_other_models(at, tried, left) if why and why["code"] in _OF_MODELS else []
    if not left:
        return None
    (node, p), failed = left[0], last["node"]
    reason = f"{failed} could not answer; {node} is the next choice, {p:.2f}."
    return at.redirect({**planned, "step": walk.steps + 1}, node, reason)


def _of_other_models(
    at: RoutingNode, tried: Collection[str], left: Sequence[tuple[NodeName, float]]
) -> list[tuple[NodeName, float]]:
    """Return the choices, the generalist last, that other models answer than those that were tried."""
    failed = {at.models[NodeName(node)] for node in tried if node in at.models}
    last = at.generalist
    listed = [*left, (last, 0.0)] if last and last not in {*tried, *dict(left)} else left
    return [(node, p) for node, p in listed if node in at.models and at.models[node] not in failed]


def outcomes(hops: Sequence[Hop]) -> list[Hop]:
    """Return the hop that answers each part, in the order of the question; experts vote."""
    ordered = sorted(hops, key=lambda hop: hop["branch"]["part"])
    parts = groupby(ordered, key=lambda hop: hop["branch"]["part"])
    return [vote(candidates(list(walked))) for _, walked in parts]


def candidates(hops: Sequence[Hop]) -> list[Hop]:
    """Return each expert's own result for one part: its last hop with an answer."""
    ordered = sorted(hops, key=lambda hop: hop["branch"]["expert"])
    found = []
    for _, group in groupby(ordered, key=lambda hop: hop["branch"]["expert"]):
        walked = list(group)
        answered = [hop for hop in walked if hop["status"] == "answered"]
        # What nobody answers is told by the best choice.
        found.append(answered[-1] if answered else walked[-1 if is_alone(walked[0]["branch"]) else 0])
    return found


def vote(results: Sequence[Hop]) -> Hop:
    """Return the result with the most weight: the summed probabilities of experts that answered the same."""
    answered = [hop for hop in results if hop["status"] == "answered"]
    weights: Counter[str] = Counter()
    for hop in answered:
        weights[_said(hop)] += hop["probability"]  # type: ignore[assignment]
    return max(answered, key=lambda hop: (weights[_said(hop)], hop["probability"]), default=results[0])


async def judged(hops: Sequence[Hop], question: str, judge: Judge) -> list[Hop]:
    """Return the outcomes, chosen by a judge where experts disagree; the vote stands where it cannot say."""
    found = outcomes(hops)
    for index, hop in enumerate(found):
        results = candidates([h for h in hops if h["branch"]["part"] == hop["branch"]["part"]])
        answered = [result for result in results if result["status"] == "answered"]
        if len({_said(result) for result in answered}) > 1:
            asked = hop["branch"]["text"] or question
            chosen = await judge.choose(asked, [result["answer"] for result in answered])
            found[index] = hop if chosen is None else answered[chosen]
    return found


def _said(hop: Hop) -> str:
    """Return the answer as it is counted: its first line, without case, extra spaces and the final stop."""
    lines = hop["answer"].strip().splitlines() or [""]
    return " ".join(lines[0].casefold().split()).rstrip(".")


def merged(found: Sequence[Hop]) -> str:
    """Merge the answers; each of several parts stands under its question, and where it has none, why."""
    if len(found) == 1:
        return found[0]["answer"]
    said = [hop["answer"] if hop["status"] == "answered" else f"No answer: {hop['answer']}" for hop in found]
    return "\n\n".join(f"{hop['branch']['text']}\n{text}" for hop, text in zip(found, said, strict=True))


def _part(walk: Walk, branch: Branch) -> Walk:
    conversation = [*walk.conversation[:-1], HumanMessage(branch["text"])]
    return Walk(walk.context, walk.turn, branch, conversation, (), 0)
