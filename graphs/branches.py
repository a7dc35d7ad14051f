"""Parallel branches: the parts of a compound question, each routed on its own, and their answers merged."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import groupby, permutations

from langchain_core.messages import HumanMessage

from agents.judge import Judge
from agents.modalities import attachments_of
from agents.octopus.conversation.compound import parts_of
from agents.octopus.conversation.human_turns import clean_query
from agents.types import Branch, Hop
from graphs.state import Decision
from graphs.traversal import Crossing, Walk, is_alone

_LEAST = 0.02  # probability below which a next choice is not asked


async def decide_parts(walk: Walk, crossing: Crossing) -> Decision | None:
    """A decision for each part of a compound question, to be followed in parallel; None for a whole one.

    Text alone does not decide: every part must also be routed by itself, above the threshold. And parts whose
    workers are linked are steps, not branches: one may need what another answers, so the walk takes them.
    """
    if walk.steps or not walk.context.parallel or attachments_of(walk.conversation[-1]):
        return None
    parts = parts_of(clean_query(walk.question))
    if not 1 < len(parts) <= walk.context.max_hops:
        return None
    branches = [
        Branch(part=index, parts=len(parts), expert=0, experts=1, text=text)
        for index, text in enumerate(parts)
    ]
    fan = await asyncio.gather(*(_part(walk, branch).decide(crossing) for branch in branches))
    if not all(_stands(decision) for decision in fan) or _follow(fan, crossing):
        return None
    return Decision(**{**fan[0], "fan": list(fan)})


def second_choice(walk: Walk, crossing: Crossing, decision: Decision) -> Decision | None:
    """Where the worker that `decision` led to could not answer a part: the same for the next choice."""
    tried = {hop["node"] for hop in walk.hops}
    alone = walk.branch["parts"] == 1 or walk.branch["experts"] > 1
    over = alone or len(tried) > walk.context.second_choices or walk.exhausted()
    if over or walk.hops[-1]["status"] == "answered":
        return None
    left = [(node, p) for node, p in crossing.ranked(decision) if node not in tried and p >= _LEAST]
    if not left:
        return None
    (node, p), failed = left[0], walk.hops[-1]["node"]
    reason = f"{failed} could not answer; {node} is the next choice, {p:.2f}."
    return crossing.aim({**decision, "step": walk.steps + 1}, node, reason, "token")


def outcomes(hops: Sequence[Hop]) -> list[Hop]:
    """Of each part the hop that answers it, in the order of the question; of several experts by vote."""
    ordered = sorted(hops, key=lambda hop: hop["branch"]["part"])
    parts = groupby(ordered, key=lambda hop: hop["branch"]["part"])
    return [vote(candidates(list(walked))) for _, walked in parts]


def candidates(hops: Sequence[Hop]) -> list[Hop]:
    """Of the walks of one part, each expert's own result: the last hop with an answer."""
    ordered = sorted(hops, key=lambda hop: hop["branch"]["expert"])
    found = []
    for _, group in groupby(ordered, key=lambda hop: hop["branch"]["expert"]):
        walked = list(group)
        answered = [hop for hop in walked if hop["status"] == "answered"]
        # What nobody answers is told by the best choice.
        found.append(answered[-1] if answered else walked[-1 if is_alone(walked[0]["branch"]) else 0])
    return found


def vote(results: Sequence[Hop]) -> Hop:
    """The result with the most weight: the probabilities of all experts that answered the same."""
    answered = [hop for hop in results if hop["status"] == "answered"]
    weights: Counter[str] = Counter()
    for hop in answered:
        weights[_said(hop)] += hop["probability"]  # type: ignore[assignment]
    return max(answered, key=lambda hop: (weights[_said(hop)], hop["probability"]), default=results[0])


async def judged(hops: Sequence[Hop], question: str, judge: Judge) -> list[Hop]:
    """As `outcomes`, with a judge where experts disagree; the vote stands where it cannot say."""
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
    """The answer as it is counted: its first line, without case, spaces and the final stop."""
    lines = hop["answer"].strip().splitlines() or [""]
    return " ".join(lines[0].casefold().split()).rstrip(".")


def merged(found: Sequence[Hop]) -> str:
    """One answer; of several parts each under its question."""
    if len(found) == 1:
        return found[0]["answer"]
    return "\n\n".join(f"{hop['branch']['text']}\n{hop['answer']}" for hop in found)


def _part(walk: Walk, branch: Branch) -> Walk:
    conversation = [*walk.conversation[:-1], HumanMessage(branch["text"])]
    return Walk(walk.context, walk.turn, branch, conversation, (), 0)


def _follow(fan: Sequence[Decision], crossing: Crossing) -> bool:
    nodes = [decision["node"] for decision in fan]
    pairs = permutations(range(len(nodes)), 2)
    return any((nodes[one], nodes[other]) in crossing.links for one, other in pairs)


def _stands(decision: Decision) -> bool:
    return decision["node"] is not None and decision["decided_by"] in ("token", "examples")
