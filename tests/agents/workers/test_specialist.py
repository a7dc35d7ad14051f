"""A worker from its parts: tools first, then the model, else how to connect one."""

from __future__ import annotations

import pytest

from agents.types import WorkerAnswer, WorkerRequest
from agents.workers.specialist import Specialist
from tests.scripted import ScriptedWorker

REQUEST = WorkerRequest("2 + 2?")
COMPUTED = WorkerAnswer("answered", "4", {"function": "arithmetic.evaluate"})
DECLINED = WorkerAnswer("declined", "No number was found.", {"unread": {"a": "b"}})
WRITTEN = WorkerAnswer("answered", "Four.", {"model": "m"})


async def test_tools_answer_first() -> None:
    model = ScriptedWorker([WRITTEN])
    assert await Specialist("math", ScriptedWorker([COMPUTED]), model).answer(REQUEST) == COMPUTED
    assert not model.requests


async def test_the_model_answers_what_tools_decline() -> None:
    model = ScriptedWorker([WRITTEN])
    assert await Specialist("math", ScriptedWorker([DECLINED]), model).answer(REQUEST) == WRITTEN
    assert model.requests == [REQUEST]


@pytest.mark.parametrize("tools", [None, ScriptedWorker([DECLINED])])
async def test_without_a_model_it_says_how_to_connect_one(tools: ScriptedWorker | None) -> None:
    answer = await Specialist("math", tools, recommended="org/math-7b").answer(REQUEST)
    assert answer.status == "unavailable"
    for text in ("math was chosen", "org/math-7b", "OCTOPUS_MODEL=openai:", "`octopus doctor`"):
        assert text in answer.text
    assert ("No number was found." in answer.text) == (tools is not None)
    assert answer.evidence == (DECLINED.evidence if tools else {})
