"""Test the measurement of reflection on a scripted model whose slips are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.labs.arithmetic import COLUMN, ArithmeticParts, ExactVerifier, Problem, answer
from evaluation.labs.reflection import MODES, Trial, evaluate_reflection


class SlippingModel:
    """Err greedily at the third column, be right when sampled, and doubt what is wrong."""

    async def write(self, prompt: str, stops: str, most: int, temperature: float) -> str:
        question, _, begun = prompt.partition("=")
        text = self._known(question, wrong=temperature == 0)[len(begun) :][:most]
        end = min((text.index(stop) for stop in stops if stop in text), default=most)
        return text[: end + 1]

    async def read(self, prompt: str, text: str) -> list[float]:
        right = self._known(prompt.rstrip("="), wrong=False)
        return [1.0 if a == b else 0.1 for a, b in zip(text, right, strict=False)]

    def _known(self, question: str, *, wrong: bool) -> str:
        number, factor = question.split("*")
        text = answer(Problem(int(number), int(factor)))
        place = 2 * COLUMN + 2
        return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :] if wrong else text


PROBLEM = Problem(46731, 8)


async def test_the_critic_names_the_doubtful_column_and_the_generator_keeps_what_precedes_it() -> None:
    parts = ArithmeticParts(SlippingModel())
    draft = await parts.generate(PROBLEM.prompt, (), 100)
    assert not (await ExactVerifier().verify(PROBLEM.prompt, draft.text, 0)).passed
    verdict = await parts.criticise(PROBLEM.prompt, draft.text, "", 100)
    assert (verdict.feedback, verdict.passed) == ("column 3 is doubtful", False)
    lesson = {"draft": draft.text, "feedback": verdict.feedback}
    again = await parts.generate(PROBLEM.prompt, [lesson], 100)  # type: ignore[list-item]
    assert (again.text, again.tokens) == (answer(PROBLEM), 3 * COLUMN)
    assert (await ExactVerifier().verify(PROBLEM.prompt, again.text, 0)).passed
    assert (await parts.criticise(PROBLEM.prompt, again.text, "", 100)).passed


async def test_a_column_that_failed_is_avoided() -> None:
    parts = ArithmeticParts(SlippingModel())
    right = answer(PROBLEM)
    lessons = [{"draft": right, "feedback": "column 1 is doubtful"}]
    column = await parts.step(PROBLEM.prompt, (), lessons, 100)  # type: ignore[arg-type]
    assert (column.text, column.tokens) == (right[:COLUMN], 3 * COLUMN)  # it knows no other, and tried thrice
    assert (await parts.step(PROBLEM.prompt, (), lessons, 5)).tokens <= 5  # type: ignore[arg-type]


# What a mode needs where the greedy answer is wrong and each sampled one is right: 20 tokens for a draft,
# 12 for its last three columns, 1 for a verdict.
ENOUGH = {"basic": 20 + 1 + 12 + 1, "self-consistency": 60, "reflexion": 33, "lats": 100, "best-of-n": 40}


@pytest.mark.parametrize("budget", [20, 33, 47, 100])
@pytest.mark.parametrize("mode", MODES)
def test_no_mode_exceeds_its_budget(mode: str, budget: int) -> None:
    outcomes = Trial(SlippingModel(), number=10).measure(mode, budget)
    assert all(outcome.tokens <= budget for outcome in outcomes)
    assert all(outcome.right == (budget >= ENOUGH.get(mode, 1000)) for outcome in outcomes)


def test_the_report(tmp_path: Path) -> None:
    report = evaluate_reflection(SlippingModel(), problems=10, budgets=(20, 60))
    assert "| Reflexion | exact | 0.0 (0–0) | 100.0 (100–100) |" in report.markdown
    assert report.figures["lats"]["60"]["gain"] == (1.0, 1.0, 1.0)
    report.write(tmp_path)
    assert "best-of-n" in (tmp_path / "reflection.svg").read_text()
