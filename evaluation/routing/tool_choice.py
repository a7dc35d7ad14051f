"""Measure the choice of functions: `octopus eval tools`, zero-shot beside the plain cosine.

Scores accuracy among a row's own candidates, ranking among all functions, and abstaining. Rows are those
of the Berkeley Function Calling Leaderboard: `question` (turns of messages), `function` (the candidates) and,
where one fits, `ground_truth` ([{name: arguments}]).
Source: F. Yan et al., Berkeley Function Calling Leaderboard, 2024 (v4: live user queries).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from agents.octopus.encoder.zero_shot import Candidate, Embed, Scores, Vectors, ZeroShotHead
from evaluation.report import Report, plain, share, tabulate
from evaluation.task import load_task

Row = Mapping[str, Any]


class Head(Protocol):
    """Score the candidates that it was built for."""

    def scores(self, query: str, vector: Vectors) -> Scores:
        """Return logits of the candidates, and the probability (or any rising measure) that one fits."""
        ...


BuildHead = Callable[[Sequence[Candidate], Embed], Head]


class CosineHead:
    """Score by the cosine between query and description, nothing else: the baseline."""

    def __init__(self, candidates: Sequence[Candidate], embed: Embed) -> None:
        self._vectors = embed([candidate.description for candidate in candidates])

    def scores(self, query: str, vector: Vectors) -> Scores:
        """Return cosines as logits, and the best of them as the measure of fit."""
        cosine = self._vectors @ vector
        return Scores(logits=cosine, fit=float(cosine.max()))


@dataclass(frozen=True, slots=True)
class ChoiceMetrics:
    """Hold how well a head chooses among each row's own candidates.

    Attributes:
        rows: how many rows have a right candidate.
        irrelevant: how many have none.
        accuracy: of the best-scored candidate, over `rows`.
        abstain_auroc: probability that a row with a right candidate fits better than one without.
    """

    rows: int
    irrelevant: int
    accuracy: float
    abstain_auroc: float


@dataclass(frozen=True, slots=True)
class RankingMetrics:
    """Hold how well a head ranks one pool of functions for every query."""

    rows: int
    functions: int
    top1: float
    top5: float


def evaluate_tools(data: Path, embed: Embed) -> Report:
    """Measure choosing, ranking and abstaining on the leaderboard's rows below `data`.

    Raises:
        InputError: there is no data, or it is not that of the leaderboard.
    """
    task = load_task("bfcl")
    rows, irrelevant = task.rows(data), task.rows(data, irrelevant=True)
    heads: dict[str, BuildHead] = {"**Octopus, zero-shot**": ZeroShotHead.build, "cosine": CosineHead}
    found = {
        name: (evaluate_choice(rows, irrelevant, embed, build), evaluate_ranking(rows, embed, build))
        for name, build in heads.items()
    }
    functions = next(iter(found.values()))[1].functions
    columns: dict[str, Callable[[tuple[ChoiceMetrics, RankingMetrics]], str]] = {
        f"choice % ({len(rows)} rows)": lambda own: share(own[0].accuracy),
        f"AUROC of abstaining % ({len(irrelevant)})": lambda own: share(own[0].abstain_auroc),
        f"top-1 % of {functions}": lambda own: share(own[1].top1),
        "top-5 %": lambda own: share(own[1].top5),
    }
    figures = {
        name.strip("*"): {"choice": plain(choice), "ranking": plain(ranking)}
        for name, (choice, ranking) in found.items()
    }
    return Report("tools", tabulate("router", found, columns), {"task": task.version, **figures})


def evaluate_choice(
    rows: Sequence[Row], irrelevant: Sequence[Row], embed: Embed, build: BuildHead = ZeroShotHead.build
) -> ChoiceMetrics:
    """Score `rows`, and tell them from `irrelevant` rows, none of whose candidates fits.

    Raises:
        InputError: there are no rows, or a row lacks its query, candidates or right answer.
    """
    if not rows or not irrelevant:
        raise InputError(f"cannot evaluate {len(rows)} rows and {len(irrelevant)} irrelevant ones.")
    heads: dict[tuple[Candidate, ...], Head] = {}

    def score(row: Row) -> Scores:
        candidates = tuple(candidates_of(row))
        if not candidates:
            return Scores(logits=np.zeros(0, dtype=np.float32), fit=0.0)
        if candidates not in heads:
            heads[candidates] = build(candidates, embed)
        query = query_of(row)
        return heads[candidates].scores(query, embed([query])[0])

    fitting = [score(row) for row in rows]
    right = [int(scores.logits.argmax()) == answer_of(row) for scores, row in zip(fitting, rows, strict=True)]
    return ChoiceMetrics(
        rows=len(rows),
        irrelevant=len(irrelevant),
        accuracy=float(np.mean(right)),
        abstain_auroc=auroc(
            np.array([scores.fit for scores in fitting]), np.array([score(row).fit for row in irrelevant])
        ),
    )


def evaluate_ranking(
    rows: Sequence[Row], embed: Embed, build: BuildHead = ZeroShotHead.build
) -> RankingMetrics:
    """Rank the union of the rows' candidates, one per name, for every row's query.

    Raises:
        InputError: there are no rows, or a row lacks its query, candidates or right answer.
    """
    if not rows:
        raise InputError("cannot evaluate a ranking without rows.")
    pool: dict[str, Candidate] = {}
    for row in rows:
        for candidate in candidates_of(row):
            pool.setdefault(candidate.name, candidate)
    head, names = build(list(pool.values()), embed), list(pool)
    ranks = []
    for row in rows:
        query = query_of(row)
        logits = head.scores(query, embed([query])[0]).logits
        right = logits[names.index(candidates_of(row)[answer_of(row)].name)]
        ranks.append(int((logits > right).sum()))
    return RankingMetrics(
        rows=len(rows),
        functions=len(names),
        top1=float(np.mean([rank < 1 for rank in ranks])),
        top5=float(np.mean([rank < 5 for rank in ranks])),
    )


def query_of(row: Row) -> str:
    """Return what the user says in a row, turns joined by newlines."""
    try:
        said = [
            message["content"] for turn in row["question"] for message in turn if message["role"] == "user"
        ]
    except (KeyError, TypeError) as error:
        raise InputError(f"row {row.get('id')!r} has no readable `question`: {error!r}.") from error
    return "\n".join(said)


def candidates_of(row: Row) -> list[Candidate]:
    """Return the functions of a row, by name and description alone."""
    try:
        return [Candidate(function["name"], function["description"]) for function in row["function"]]
    except (KeyError, TypeError) as error:
        raise InputError(f"row {row.get('id')!r} has no readable `function`: {error!r}.") from error


def answer_of(row: Row) -> int:
    """Return the index of the right candidate of a row."""
    called = {name for call in row.get("ground_truth") or () for name in call}
    for index, candidate in enumerate(candidates_of(row)):
        if candidate.name in called:
            return index
    raise InputError(f"row {row.get('id')!r}: none of its functions is in `ground_truth` {sorted(called)!r}.")


def auroc(positive: NDArray[np.floating[Any]], negative: NDArray[np.floating[Any]]) -> float:
    """Return the probability that a positive outranks a negative, ties counting half (Mann-Whitney U)."""
    difference = positive[:, None] - negative[None, :]
    return float((difference > 0).mean() + (difference == 0).mean() / 2)
