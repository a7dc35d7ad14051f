"""Answers of this turn's steps, flagged, as whoever comes next reads them."""

from __future__ import annotations

from collections.abc import Sequence

from agents.octopus.tokens import defuse
from agents.types import Step


def carried(step: Step, most: int = 2_000) -> str:
    """At most `most` characters of a step's answer; look-alikes of tokens are defused."""
    return f"[Answer of {step.node}: {defuse(step.answer.strip())[:most]}]"


def carried_answers(path: Sequence[Step]) -> list[str]:
    """What the steps that answered said."""
    return [carried(step) for step in path if step.status == "answered" and step.answer.strip()]
