"""The tool agent: choice, arguments, sandbox and answer together, on natural questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.octopus.embedding import Encoder
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.types import Choice, FunctionalToken, NodeName, WorkerAnswer, WorkerRequest
from agents.workers.tool_agent import EncoderChooser, ToolAgent
from tools.declaration import ToolFunction
from tools.registry import SUBJECTS, functions
from tools.sandbox import Sandbox

DATA = yaml.safe_load(Path(__file__).with_name("natural_questions.yaml").read_text(encoding="utf-8"))
HELD_OUT = [row for row in DATA["questions"] if row["held_out"]]
EXAMPLES = [(one.name, query) for one in functions(*SUBJECTS) for query in one.examples]


class InOrder:
    """Ranks functions in the order given, so that only the reading of the arguments decides."""

    def __init__(self, offered: Sequence[ToolFunction]) -> None:
        self.names = [function.name for function in offered]

    def rank(self, query: str) -> Sequence[Choice]:
        probability = 1 / len(self.names)
        return [
            Choice(FunctionalToken(f"<nexa_{slot}>"), NodeName(name), probability)
            for slot, name in enumerate(self.names)
        ]

    def fit(self, query: str) -> float:
        return 1.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as one:
        yield one


async def ask(sandbox: Sandbox, subject: str, query: str) -> WorkerAnswer:
    offered = functions(subject)
    agent = ToolAgent(offered, InOrder(offered), sandbox, attempts=len(offered), floor=0)
    return await agent.answer(WorkerRequest(query))


async def test_derivative_at_a_point(sandbox: Sandbox) -> None:
    answer = await ask(sandbox, "calculus", "Tell me the result of derivative of x^3 when x is 2?")
    assert answer.status == "answered"
    assert answer.text.startswith("12\n")
    assert answer.evidence == {
        "function": "calculus.derivative",
        "arguments": {"expression": "x^3", "at": "2"},
        "result": 12,
    }


@pytest.mark.parametrize("row", DATA["questions"], ids=lambda row: row["question"])
async def test_natural_question_is_answered_rightly(sandbox: Sandbox, row: dict[str, Any]) -> None:
    answer = await ask(sandbox, row["subject"], row["question"])
    if not (row["held_out"] and answer.status == "declined"):
        assert answer.text.startswith(row["answer"]), answer.text


async def test_most_held_out_questions_are_answered(sandbox: Sandbox) -> None:
    answers = [await ask(sandbox, row["subject"], row["question"]) for row in HELD_OUT]
    assert sum(answer.status == "answered" for answer in answers) >= 0.7 * len(HELD_OUT)


@pytest.mark.parametrize("row", DATA["declined"], ids=lambda row: row["question"])
async def test_what_cannot_be_read_is_declined(sandbox: Sandbox, row: dict[str, Any]) -> None:
    answer = await ask(sandbox, row["subject"], row["question"])
    assert answer.status == "declined", answer.text
    assert "result" not in answer.evidence


@pytest.mark.parametrize(("name", "query"), EXAMPLES)
async def test_every_example_is_answered_by_its_function(sandbox: Sandbox, name: str, query: str) -> None:
    answer = await ask(sandbox, name.partition(".")[0], query)
    assert answer.evidence["function"] == name
    assert answer.status == "answered"


@pytest.mark.parametrize(
    "query",
    [
        "9**9**9",
        "factorial(10**9)",
        "what is 2 + " + "1 + " * 2_500_000 + "1",
        "what is " + "(" * 900 + "1" + ")" * 900,
        "__import__('os').system('true')",
        "what is (1).__class__.__bases__",
        "what is (lambda: 2 + 2)()",
        "what is '2' + '2'",
        "what is 2\0 + 2",
        "what is 2 + 2; import os",
        "",
        "<nexa_0> 2 + 2 <|end|>",
    ],
    ids=lambda query: query[:30].encode("ascii", "backslashreplace").decode(),
)
async def test_hostile_text_is_declined_at_once(sandbox: Sandbox, query: str) -> None:
    answer = await ask(sandbox, "arithmetic", query)
    assert answer.status == "declined"
    assert len(answer.text) < 400


@pytest.mark.parametrize(
    ("readings", "answer"),
    [
        (["and?", "What is 3 * 4?"], "12"),
        (["1 / 0", "What is 3 * 4?"], "12"),  # the first is read, and refused
        (["5 + 5", "What is 3 * 4?"], "10"),
    ],
)
async def test_readings_are_tried_in_order(readings: list[str], answer: str, sandbox: Sandbox) -> None:
    own = functions("arithmetic")
    found = await ToolAgent(own, InOrder(own), sandbox).answer(WorkerRequest("as rewritten", readings))
    assert found.text.splitlines()[0] == answer


async def test_without_an_answer_the_first_reading_says_why(sandbox: Sandbox) -> None:
    own = functions("arithmetic")
    agent = ToolAgent(own, InOrder(own), sandbox)
    found = await agent.answer(WorkerRequest("as rewritten", ["1 / 0", "the 3rd sum"]))
    assert (found.status, "zero" in found.text) == ("declined", True)
    assert (await agent.answer(WorkerRequest("1 + 1", []))).status == "declined"


def test_needs_functions_and_attempts(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="at least one function"):
        ToolAgent((), InOrder(()), sandbox)
    with pytest.raises(ValueError, match="attempts must be at least 1, not 0"):
        ToolAgent(functions("calculus"), InOrder(functions("calculus")), sandbox, attempts=0)


@pytest.mark.parametrize(
    ("subject", "query", "answers"),
    [
        ("geography", "What are the capitals of Kenya and Peru?", ["Nairobi", "Lima"]),
        ("geography", "What are the capitals of Kenya, Peru and Japan?", ["Nairobi", "Lima", "Tokyo"]),
        ("algebra", "Factor x^2 - 9 and x^2 + 7x + 12.", ["(x - 3)*(x + 3)", "(x + 3)*(x + 4)"]),
        ("number_theory", "Are 91 and 97 prime numbers?", ["No, 91", "Yes, 97"]),
        ("chemistry", "What are the molar masses of water and glucose?", ["18.0153", "180.156"]),
        ("units", "Convert 10 miles to km and convert 350 F to C.", ["16.09344 km", "176.6666667"]),
    ],
)
async def test_several_calls_of_one_question(
    subject: str, query: str, answers: list[str], sandbox: Sandbox
) -> None:
    answer = await ask(sandbox, subject, query)
    assert answer.status == "answered", answer.text
    found = [part.splitlines()[1] for part in answer.text.split("\n\n")]
    assert len(found) == len(answers) == len(answer.evidence["calls"])
    assert all(text.startswith(begin) for text, begin in zip(found, answers, strict=True)), found


@pytest.mark.parametrize(
    ("subject", "query"),
    [
        ("geography", "What are the capitals of Kenya and Atlantis?"),
        ("algebra", "What do x^2 - 9 and x^2 - 4 have in common?"),
        ("chemistry", "What are the molar masses of salt and pepper?"),
    ],
)
async def test_it_declines_unless_every_call_can_be_read(subject: str, query: str, sandbox: Sandbox) -> None:
    answer = await ask(sandbox, subject, query)
    assert answer.status == "declined", answer.text


@pytest.fixture(scope="module")
def chooser(encoder: Encoder) -> EncoderChooser:
    def build(candidates: Sequence[Candidate]) -> ZeroShotHead:
        return ZeroShotHead.build(candidates, encoder.embed)

    return EncoderChooser(functions("calculus"), encoder, build)


@pytest.mark.parametrize(
    ("query", "function"),
    [
        ("Differentiate x^3 + 2x with respect to x.", "calculus.derivative"),
        ("What is the integral of sin(x) from 0 to pi?", "calculus.integral"),
    ],
)
def test_the_right_function_is_first(chooser: EncoderChooser, query: str, function: str) -> None:
    choices = chooser.rank(query)
    assert choices[0].node == function
    assert sum(choice.probability for choice in choices) == pytest.approx(1)
    assert [c.probability for c in choices] == sorted((c.probability for c in choices), reverse=True)


def test_every_function_has_the_token_of_its_place(chooser: EncoderChooser) -> None:
    tokens = {choice.node: choice.token for choice in chooser.rank("the limit of 1/x")}
    assert tokens == {one.name: f"<nexa_{k}>" for k, one in enumerate(chooser.functions)}
