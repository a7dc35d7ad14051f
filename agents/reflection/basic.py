"""Basic reflection: a generator and a reflector take turns.

Source: Self-Refine (Madaan et al. 2023, arXiv 2303.17651): feedback on the draft, then a draft in the light
of the feedback, until the feedback has nothing left to say. No verifier: what it gains rests on the critic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.reflection.budget import Budget
from agents.reflection.loop import Step
from agents.reflection.steps import Steps
from agents.reflection.types import Parts, ReflectionState


@dataclass(frozen=True, slots=True)
class Basic:
    """draft → critique → draft → ..., until the critic agrees."""

    parts: Parts
    budget: Budget

    @property
    def steps(self) -> Mapping[str, Step]:
        """Its steps by name."""
        steps = Steps(self.parts, self.budget)
        return {"draft": steps.draft, "critique": steps.critique}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """In turns; the reason to stop comes from the steps."""
        return "critique" if done == "draft" else "draft"
