"""Compare ways to answer the same questions: how many are right, and what each gains over the best single."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.intervals import Interval, interval, paired_gain
from evaluation.report import points, share, span


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold how a way to answer fares.

    Attributes:
        right: share of right answers, with its interval.
        gain: what it is better by than the best single one; None for an expectation, such as that of a
            random pick, which has no answers to compare.
        calls: to models for a question, where that is measured.
    """

    right: Interval
    gain: Interval | None
    calls: float | None

    @classmethod
    def of(cls, right: NDArray[Any], best: NDArray[np.bool_], calls: float | None = None) -> Standing:
        """Compare `right` [n] with the answers of the best single one; floats are an expectation."""
        gain = paired_gain(right, best) if right.dtype == bool else None
        return cls(interval(right), gain, calls)

    @property
    def figures(self) -> dict[str, Any]:
        """Return what is known as JSON values."""
        found: dict[str, Any] = {"right": self.right.mean}
        if self.gain is not None:
            found |= {"low": self.right.low, "high": self.right.high, "gain": asdict(self.gain)}
        return found if self.calls is None else found | {"calls": self.calls}


COLUMNS: Mapping[str, Callable[[Standing], str]] = {
    "right %": lambda own: share(own.right.mean),
    "95 %": lambda own: span(own.right.low, own.right.high) if own.gain else "–",
    "gain over the best single (95 %)": lambda own: points(own.gain) if own.gain else "–",
}
