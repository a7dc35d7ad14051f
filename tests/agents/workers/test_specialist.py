"""A worker from its parts: tools first, then the model, else how to connect one; and what it may read."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage

from agents.types import WorkerAnswer, WorkerRequest
from agents.workers.specialist import Reader, Specialist
from tests.scripted import ScriptedWorker

PIXEL = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
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
    for text in ("math was chosen", "no model is connected", "OCTOPUS_MODEL=openai:", "`octopus doctor`"):
        assert text in answer.text
    assert answer.evidence == (DECLINED.evidence if tools else {}) | {"recommended": "org/math-7b"}


async def test_without_a_model_it_says_what_its_tools_refused() -> None:
    refused = WorkerAnswer(
        "declined", "Zero.\nTried with f(x=0).", {"error": "Division by zero is undefined."}
    )
    answer = await Specialist("math", ScriptedWorker([refused])).answer(REQUEST)
    assert answer.status == "unavailable"
    assert "its tools cannot compute this: Division by zero is undefined. OCTOPUS_MODEL=auto" in answer.text


async def test_tools_are_not_asked_about_what_they_cannot_read() -> None:
    tools = ScriptedWorker([COMPUTED])
    request = WorkerRequest("What is this?", attachments=[PIXEL])
    assert await Specialist("math", tools, ScriptedWorker([WRITTEN])).answer(request) == WRITTEN
    assert not tools.requests


async def test_a_worker_refuses_what_it_does_not_read() -> None:
    worker = ScriptedWorker()
    answer = await Reader("maths", worker).answer(WorkerRequest("?", attachments=[PIXEL]))
    assert answer.status == "declined"
    assert answer.text.startswith("maths cannot read the attached image. A worker whose model can says")
    assert worker.requests == []


async def test_earlier_images_are_mentioned_to_who_does_not_read_them() -> None:
    worker = ScriptedWorker()
    talk = [HumanMessage([{"type": "text", "text": "Look."}, PIXEL]), HumanMessage("Nice?")]
    await Reader("maths", worker).answer(WorkerRequest("?", conversation=talk))
    shown = worker.requests[0].conversation
    assert [message.content for message in shown] == ["Look.\n[Attached image, not shown]", "Nice?"]
    await Reader("eye", worker, frozenset({"image"})).answer(WorkerRequest("?", conversation=talk))
    assert list(worker.requests[1].conversation) == talk
