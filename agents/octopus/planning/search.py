"""Beam search for the most probable path; nothing is executed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.path_graph import Path, Places

MOST_STEPS = 8
_WIDTH = 8

Step = Callable[[Path], tuple[Places, NDArray[np.float64]]]
"""A path → what may come after it, and ln P of each."""


def beam_search(
    step: Step, end: int, *, width: int = _WIDTH, most_steps: int = MOST_STEPS
) -> list[tuple[Path, float]]:
    """The best complete paths with ln P = Σ ln P(next | …), best first; at most `width`.

    It stops when no path that goes on can still be better than the best complete one. A path that reaches
    `most_steps` without an end is left out, unless there is no other.
    """
    going: list[tuple[Path, float]] = [((), 0.0)]
    complete: list[tuple[Path, float]] = []
    for _ in range(most_steps + 1):
        longer: list[tuple[Path, float]] = []
        for path, total in going:
            candidates, values = step(path)
            best = np.argsort(-values, kind="stable")[:width]
            for k in best:
                value = total + float(values[k])
                if candidates[k] == end:
                    complete.append((path, value))
                elif len(path) < most_steps:
                    longer.append(((*path, int(candidates[k])), value))
        complete = sorted(complete, key=_probability)[:width]
        going = sorted(longer, key=_probability)[:width] or going
        if not longer or (complete and complete[0][1] >= going[0][1]):
            break
    return complete or going


def _probability(found: tuple[Path, float]) -> float:
    return -found[1]
