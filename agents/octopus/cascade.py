"""Decide who takes a query: the functional token, the nearest example, the parent, the generalist, or nobody.

Encoder, causal and served Octopuses all decide here, so that they do it in one order and one wording.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.octopus.conversation.language import language_of, sentence
from agents.octopus.conversation.reading import Before
from agents.octopus.embedding import INSTALL
from agents.octopus.tokens import END_TOKEN
from agents.types import CascadeStep, Choice, Decision, Edge, NodeName

MOST_CHOICES = 32  # how many ranked choices a decision lists
NEAR = 0.72  # cosine from which an example speaks for its neighbour
END = Edge(NodeName("answer"), END_TOKEN, "", "Nothing more is needed: the steps so far answer the question.")
"""Stop the walk; legal after a first step."""

Probabilities = Sequence[float] | NDArray[np.float64]


class Example(NamedTuple):
    """Name the example nearest to a query: the place of its edge, its text, its cosine to the query."""

    place: int
    text: str
    cosine: float


class Chosen(NamedTuple):
    """Name the place of the chosen edge (None where nobody was chosen), the step that decided, and why."""

    place: int | None
    step: CascadeStep
    reason: str


def cascade(
    edges: Sequence[Edge],
    probabilities: Probabilities,
    *,
    none: float = 0.0,
    threshold: float = 0.0,
    abstain: float = 0.5,
    before: Before | None = None,
    nearest: Callable[[], Example | None] | None = None,
    parent: NodeName | None = None,
    generalist: NodeName | None = None,
    query: str = "",
    unread: str = "",
) -> Chosen:
    """Choose the neighbour for a query; the first of equally probable ones.

    Args:
        edges: the neighbours.
        probabilities: of each of them.
        none: probability that no neighbour fits.
        threshold: the least probability with which the best neighbour takes the query as a matter of course.
        abstain: the greatest `none` with which it does so, or the parent does.
        before: who had the turn before, for the reason.
        nearest: finds the nearest example; called in doubt only.
        parent, generalist: neighbours that take what is in doubt, in this order; the generalist takes also
            what probably fits no neighbour.
        query: its text; whom to ask is said in its language.
        unread: its language, where what would read it is not installed.
    """
    if unread:
        return _not_read(edges, unread, generalist)
    best = int(np.argmax(probabilities))
    probability, fits = float(probabilities[best]), none <= abstain
    if fits and probability >= threshold and probability > 0:
        return Chosen(best, "token", _why(edges[best].node, probability, before))
    doubt = _doubt(edges[best], probability, threshold)
    if not fits:
        others = f"{none:.2f}; the best, {edges[best].node}, {probability:.2f}"
        doubt = f"Probably none of the neighbours fits ({others})"
    example = nearest() if nearest else None
    if example is not None and example.cosine >= NEAR:
        near = f"the example {_quoted(example.text)} of {edges[example.place].node} is near"
        return Chosen(example.place, "examples", f"{doubt}, but {near} ({example.cosine:.2f}).")
    if found := _fall_back(edges, parent if fits else None, generalist):
        place, step = found
        return Chosen(place, step, f"{doubt}, so {edges[place].node} takes it as the {step}.")
    return Chosen(None, "ask", f"{doubt}. {sentence('say_more', language_of(query))}")


def next_step(
    edges: Sequence[Edge], probabilities: Probabilities, after: Sequence[NodeName], threshold: float = 0.0
) -> Chosen:
    """Choose the next step of a walk, or to end it; the first of equally probable ones.

    Args:
        edges: the neighbours, and `END` last where the walk may end.
        probabilities: of each of them.
        after: the nodes walked.
        threshold: probability of the best neighbour below which a walk that may end does.
    """
    best = int(np.argmax(probabilities))
    edge, probability = edges[best], float(probabilities[best])
    walked = " → ".join(after)
    if edge.token == END_TOKEN:
        what = "the question is answered"
    elif probability < threshold and edges[-1].token == END_TOKEN:
        doubt = _doubt(edge, probability, threshold)
        return Chosen(len(edges) - 1, "token", f"{doubt} after {walked}, so the walk ends.")
    else:
        what = f"{edge.node} comes next"
    return Chosen(best, "token", f"After {walked}, {what}, with probability {probability:.2f}.")


def decision_of(
    edges: Sequence[Edge],
    probabilities: Probabilities,
    chosen: Chosen,
    *,
    question: str,
    calibrated: bool,
    refers_to: str = "",
    query: str = "",
) -> Decision:
    """Return the decision with its ranked choices, and the query in the chosen neighbour's own form.

    Args:
        edges: the neighbours.
        probabilities: of each of them.
        chosen: what was decided.
        question: the user's words.
        calibrated: whether the probabilities went through a fitted temperature.
        refers_to: what the question goes on with.
        query: what the neighbour is sent; by default the question.
    """
    query = query or question
    choices = _ranked(edges, np.asarray(probabilities, dtype=np.float64))
    edge = None if chosen.place is None else edges[chosen.place]
    return Decision(
        node=edge.node if edge and edge.token != END_TOKEN else None,
        token=edge.token if edge else None,
        probability=choices[0].probability if chosen.place is None else float(probabilities[chosen.place]),
        rewritten=edge.query(query) if edge else query,
        reason=chosen.reason,
        decided_by=chosen.step,
        calibrated=calibrated,
        choices=choices,
        question=question,
        refers_to=refers_to,
    )


def _not_read(edges: Sequence[Edge], language: str, generalist: NodeName | None) -> Chosen:
    """Give a query in another language to the generalist, or say in that language what to install."""
    if found := _fall_back(edges, None, generalist):
        place, step = found
        doubt = f"The question is not in English ({language}), and `{INSTALL}` was not run"
        return Chosen(place, step, f"{doubt}, so {edges[place].node} takes it as the {step}.")
    install = sentence("install", language, install=INSTALL)
    return Chosen(None, "ask", f"{install}. {sentence('nobody', language)}")


def _why(node: NodeName, probability: float, before: Before | None) -> str:
    best = f"{node} has the highest probability, {probability:.2f}."
    if before is None:
        return best
    if node != before.node:
        return f"leaves {before.node}: new subject ({1 - before.stays:.2f}); {best}"
    what = "follow-up" if before.follow_up > 0.5 else "same subject"
    return f"stays with {node}: {what} ({before.stays:.2f})."


def _doubt(best: Edge, probability: float, threshold: float) -> str:
    return f"The best neighbour, {best.node}, has only {probability:.2f} of the {threshold:.2f} needed"


def _fall_back(
    edges: Sequence[Edge], parent: NodeName | None, generalist: NodeName | None
) -> tuple[int, CascadeStep] | None:
    places = {edge.node: k for k, edge in enumerate(edges)}
    steps: tuple[tuple[CascadeStep, NodeName | None], ...] = (("parent", parent), ("generalist", generalist))
    return next(((places[node], step) for step, node in steps if node in places), None)


def _ranked(edges: Sequence[Edge], probabilities: NDArray[np.float64]) -> tuple[Choice, ...]:
    some = np.arange(len(probabilities))
    if len(some) > MOST_CHOICES:  # cheaper than sorting a catalogue of thousands
        some = np.flatnonzero(probabilities >= np.partition(probabilities, -MOST_CHOICES)[-MOST_CHOICES])
    order = some[np.argsort(-probabilities[some], kind="stable")][:MOST_CHOICES]
    return tuple(Choice(edges[k].token, edges[k].node, float(probabilities[k])) for k in order)


def _quoted(text: str, most: int = 60) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= most else flat[: most - 1] + "…")
