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
) -> tuple[Path, float]:
    """The most probable complete path that the beam meets, with ln P = Σ ln P(next | …).

    Paths that cannot become better than the best complete one are dropped: going on only costs probability.
    Where no path is complete within `most_steps`, the best one of that length is returned.
    """
    going: list[tuple[Path, float]] = [((), 0.0)]
    best: tuple[Path, float] | None = None
    for length in range(most_steps + 1):
        longer: list[tuple[Path, float]] = []
        for path, total in going:
            candidates, values = step(path)
            for k in np.argsort(-values, kind="stable")[:width]:
                value = total + float(values[k])
                if best is not None and value <= best[1]:
                    break
                if candidates[k] == end:
                    best = (path, value)
                elif length < most_steps:
                    longer.append(((*path, int(candidates[k])), value))
        longer = [(path, value) for path, value in longer if best is None or value > best[1]]
        if not longer:
            break
        going = sorted(longer, key=lambda found: -found[1])[:width]
    return best or going[0]
