"""Workers in the parts of reflection, on scripted answers."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage

from agents.reflection.types import Lesson
from agents.reflection.worker import JudgeVerifier, ModelJudge, WorkerCritic, WorkerGenerator, spent
from agents.types import WorkerAnswer, WorkerRequest
from tests.scripted import ScriptedWorker


@pytest.mark.parametrize(
    ("reply", "index"),
    [("2", 1), ("Answer 1 is best.", 0), ("3", None), ("neither", None), ("", None)],
)
async def test_a_judge_names_an_answer_or_nothing(reply: str, index: int | None) -> None:
    worker = ScriptedWorker([WorkerAnswer("answered", reply)])
    assert await ModelJudge(worker).choose("6 times 7?", ["41", "42"]) == index
    assert "1. 41\n2. 42" in worker.requests[0].query


async def test_a_judge_without_a_model_says_nothing() -> None:
    worker = ScriptedWorker([WorkerAnswer("unavailable", "1")])
    assert await ModelJudge(worker).choose("?", ["a", "b"]) is None


REQUEST = WorkerRequest(
    "asked", readings=["asked"], conversation=[HumanMessage("Hello")], idempotency_key="k"
)


async def test_a_first_draft_is_the_plain_answer() -> None:
    reply = WorkerAnswer("answered", "Hm.", {"usage": {"output_tokens": 3, "input_tokens": 9}})
    worker = ScriptedWorker([reply])
    draft = await WorkerGenerator(worker, REQUEST).generate("asked", (), 50)
    assert (draft.text, draft.tokens, draft.read, draft.complete, draft.computed) == (
        "Hm.",
        3,
        9,
        True,
        False,
    )
    assert worker.requests == [REQUEST.with_most(50)]


async def test_a_later_draft_is_told_what_was_wrong() -> None:
    worker = ScriptedWorker([WorkerAnswer("answered", "At length.", {"function": "f"})])
    lesson = Lesson(draft="Hm.", feedback="Too short.")
    draft = await WorkerGenerator(worker, REQUEST).generate("asked", [lesson], 4)
    assert (draft.complete, draft.computed) == (False, True)
    assert all(text in worker.requests[0].query for text in ("asked", "Hm.", "Too short."))


@pytest.mark.parametrize(
    ("reply", "evidence", "passed"),
    [("AGREED", "", True), (" agreed. ", "", True), ("AGREED", "x is 3", False), ("It is wrong.", "", False)],
)
async def test_a_critic_agrees_in_one_word_and_never_against_evidence(
    reply: str, evidence: str, passed: bool
) -> None:
    worker = ScriptedWorker([WorkerAnswer("answered", reply)])
    verdict = await WorkerCritic(worker, REQUEST).criticise("q", "d", evidence, 50)
    assert (verdict.passed, verdict.feedback) == (passed, "" if passed else reply)
    assert evidence in worker.requests[0].query
    assert not worker.requests[0].conversation


@pytest.mark.parametrize(
    ("reply", "score", "passed"), [("SCORE: 7/10\nFine.", 0.7, True), ("score: 6.5 / 10", 0.65, False)]
)
async def test_a_judge_gives_marks(reply: str, score: float, passed: bool) -> None:
    verdict = await JudgeVerifier(ScriptedWorker([WorkerAnswer("answered", reply)]), REQUEST).verify(
        "q", "d", 9
    )
    assert (verdict.score, verdict.passed) == (score, passed)


@pytest.mark.parametrize("reply", [WorkerAnswer("answered", "Nice."), WorkerAnswer("unavailable", "Gone.")])
async def test_a_judge_without_a_mark_is_an_error(reply: WorkerAnswer) -> None:
    with pytest.raises(ValueError, match=r"no score|Gone"):
        await JudgeVerifier(ScriptedWorker([reply]), REQUEST).verify("q", "d", 9)


def test_tokens_that_nobody_counts_are_estimated_from_above() -> None:
    assert spent("four", WorkerAnswer("answered", "eight ch")) == (4, 2)


async def test_only_drafts_may_call_tools() -> None:
    worker = ScriptedWorker([WorkerAnswer("answered", "SCORE: 9/10")])
    await WorkerGenerator(worker, REQUEST).generate("asked", (), 50)
    await WorkerCritic(worker, REQUEST).criticise("asked", "42", "", 50)
    await JudgeVerifier(worker, REQUEST).verify("asked", "42", 50)
    assert [one.limits.calls for one in worker.requests] == [8, 0, 0]
