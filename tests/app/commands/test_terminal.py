"""What the terminal shows of a model that called tools."""

from __future__ import annotations

from typing import Any

import pytest

from agents.types import WorkerAnswer
from app.commands.terminal import Trace
from app.runs.events import Answered, Hopped, Written
from graphs.traversal import executed, stop

STEPS = [
    {"tool": "calculus.derivative", "arguments": {"expression": "x^3"}, "result": "3*x^2", "seconds": 0.25},
    {"tool": "read", "arguments": {"page": "é" * 200}, "error": "ValueError: no page", "seconds": 1.0},
]
EVIDENCE: dict[str, Any] = {
    "model": "tiny",
    "tools": {"offered": ["read"], "note": "The budget of 2 tool calls is used up."},
    "steps": STEPS,
}


def shown(capsys: pytest.CaptureFixture[str], detail: Any) -> list[str]:
    hop = executed(stop("desk", ""), WorkerAnswer("answered", "It is so.", EVIDENCE))
    trace = Trace("?", detail)
    for event in (Written("It is so."), Hopped(hop), Answered("It is so.", [hop])):
        trace.tell(event)
    return capsys.readouterr().out.splitlines()


def test_each_call_is_a_line_below_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "trace")[:4] == [
        "It is so.",
        '  call    calculus.derivative(expression="x^3"): 3*x^2 (0.25 s)',
        f'  call    read(page="{"é" * 94}… (207 characters)): failed: ValueError: no page (1.00 s)',
        "  tools   The budget of 2 tool calls is used up.",
    ]


def test_all_of_a_call_is_shown_in_full_and_none_beside_the_answer_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert f'  call    read(page="{"é" * 200}"): failed: ValueError: no page (1.00 s)' in shown(
        capsys, "full"
    )
    assert "call" not in " ".join(shown(capsys, "answer"))
