"""Score routing within conversations: follow-ups stay, changes leave, and queries are cut or rewritten.

`octopus eval conversations` measures real dialogues of other people beside our own sealed ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.errors import InputError
from agents.fidelity import lost
from agents.octopus.conversation.compound import parts_of
from agents.octopus.conversation.human_turns import Turn, carry_over, clean_turns
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.types import Decision, NodeName
from evaluation.report import (
    Advance,
    Interval,
    Report,
    interval,
    no_progress,
    plain,
    share,
    share_and_span,
    table,
)
from evaluation.routing.metrics import check_nodes, decide_each
from evaluation.task import load_task
from training.rows.dialogues import Dialogue, read_dialogues

_SURE = 0.5  # of the baseline in two lines: the last turn decides from this probability on


@dataclass(frozen=True, slots=True)
class DialogueMetrics:
    """Hold the accuracy of the last turn's node, in [0, 1], for one way of reading.

    Attributes:
        follow_ups: over dialogues whose last turn stays on the subject.
        changes: over dialogues whose last turn leaves it.
        every: over all.
        recognised_follow_ups, recognised_changes: share that is read as what it is, whatever its node; None
            for a baseline, which does not tell them apart.
    """

    follow_ups: Interval
    changes: Interval
    every: Interval
    recognised_follow_ups: float | None = None
    recognised_changes: float | None = None


def evaluate_dialogues(octopus: EncoderOctopus, dialogues: Sequence[Dialogue]) -> dict[str, DialogueMetrics]:
    """Measure the octopus beside three baselines: two lines of code, the last turn, all turns as one text.

    Raises:
        InputError: the graph lacks a node that is right.
    """
    check_nodes(octopus, sorted({node for one in dialogues for node in one.accepted}))
    told = [one for one in dialogues if one.follows is not None]
    follows = np.array([bool(one.follows) for one in told])
    read = np.array([octopus.read(one.turns).follow_up > 0.5 for one in told]) == follows
    ways: dict[str, Callable[[Sequence[Turn]], NodeName | None]] = {
        "**Octopus**": lambda turns: octopus.decide(turns).node,
        "two lines": lambda turns: _in_two_lines(octopus, turns),
        "last turn only": lambda turns: octopus.decide(turns[-1:]).node,
        "turns as one text": lambda turns: octopus.decide(["\n".join(turn.text for turn in turns)]).node,
    }
    found = {}
    for way, choose in ways.items():
        right = np.array([choose(one.turns) in one.accepted for one in told])
        found[way] = DialogueMetrics(
            interval(right[follows]),
            interval(right[~follows]),
            interval(right),
            *((float(read[follows].mean()), float(read[~follows].mean())) if way == "**Octopus**" else ()),
        )
    return found


def _in_two_lines(octopus: EncoderOctopus, turns: Sequence[Turn]) -> NodeName | None:
    """Return the node of the last turn if that is sure, or else the node before, found alike."""
    decision = octopus.decide(turns[-1:])
    return (
        decision.node
        if len(turns) == 1 or decision.probability >= _SURE
        else _in_two_lines(octopus, turns[:-1])
    )


def sealed_dialogues() -> list[Dialogue]:
    """Return our own dialogues that nothing was tuned on, each for its last turn."""
    found = []
    for number, row in enumerate(load_task("dialogues").rows()):
        before, right = row["nodes"][-2:]
        turns = tuple(clean_turns(row["turns"]))
        found.append(Dialogue(turns, frozenset({right}), right == before, str(number)))
    return found


def dialogues_in(data: Path, name: str) -> list[Dialogue]:
    """Return the dialogues of a set below `data`: all files `dialogue/NAME_*.jsonl.gz`.

    Raises:
        InputError: there is none.
    """
    files = sorted((data / "dialogue").glob(f"{name}_*.jsonl.gz"))
    if not files:
        raise InputError(
            f"{str(data)!r} holds no dialogue/{name}_*.jsonl.gz.", hint="Leave --data out for ours."
        )
    return [one for file in files for one in read_dialogues(file)]


def evaluate_conversations(
    sets: Mapping[str, tuple[EncoderOctopus, Sequence[Dialogue]]], advance: Advance = no_progress
) -> Report:
    """Measure each set of dialogues on its own graph."""
    found, cells = {}, []
    for name, (octopus, dialogues) in sets.items():
        found[name] = evaluate_dialogues(octopus, dialogues)
        cells += [[name, way, *dialogue_cells(own)] for way, own in found[name].items()]
        advance(1 / len(sets))
    return Report("conversations", table(("dialogues", "read by", *HEADINGS), cells), plain(found))


HEADINGS = ("follow-ups %", "changes %", "all %", "read as follow-up %", "as change %")


def dialogue_cells(metrics: DialogueMetrics) -> list[str]:
    """Return the cells of `HEADINGS`."""
    right = (metrics.follow_ups, metrics.changes, metrics.every)
    return [
        *map(share_and_span, right),
        share(metrics.recognised_follow_ups),
        share(metrics.recognised_changes),
    ]


@dataclass(frozen=True, slots=True)
class RewritingMetrics:
    """Hold what becomes of queries before a worker sees them, as shares in [0, 1] of `rows` conversations.

    Attributes:
        cut: of those whose last turn is taken for several questions.
        changed: of those whose query is told in other words, or with what it refers to, faithfully.
        bypassed: of those whose rewrite lost something, so that the original is sent.
    """

    rows: int
    cut: float
    changed: float
    bypassed: float


def evaluate_rewriting(octopus: EncoderOctopus, conversations: Sequence[Sequence[str]]) -> RewritingMetrics:
    """Measure what becomes of the last turn of each of `conversations`."""
    turns = [clean_turns(conversation) for conversation in conversations]
    routes = zip(turns, decide_each(octopus, turns), strict=True)
    kinds = Counter(_kind(own[-1].text, route) for own, route in routes if route.node is not None)
    cut = sum(_is_cut(octopus, conversation[-1].text) for conversation in turns)
    rows = max(1, len(turns))
    return RewritingMetrics(len(turns), cut / rows, kinds["changed"] / rows, kinds["bypassed"] / rows)


def _kind(said: str, route: Decision) -> str:
    if said == carry_over(route.rewritten, route.refers_to):
        return "same"
    return "bypassed" if lost(route.question, route.rewritten) else "changed"


def _is_cut(octopus: EncoderOctopus, text: str) -> bool:
    parts = parts_of(text)
    if len(parts) < 2:
        return False
    routes = octopus.decide_all([[part] for part in parts])
    return all(route.node is not None and route.decided_by in ("token", "examples") for route in routes)
