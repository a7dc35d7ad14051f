"""Conversations asked of the real server, each way, and what the report says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from openai import BadRequestError, OpenAI

from agents.errors import InputError
from app.server.application import create_app
from app.server.settings import ServerSettings
from evaluation.people import Heard, StrictModel, ask_people, evaluate_people, fault_of, read_people


def said(*turns: str) -> list[Any]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [{"role": roles[turn[0]], "content": turn[1:]} for turn in turns]


@pytest.mark.parametrize(
    ("turns", "fault"),
    [
        (["uhi"], ""),
        (["sbe kind", "uhi", "ahello", "ubye"], ""),
        ([], "not a list"),
        (["u "], "message 0 is empty"),
        (["uhi", "a"], "message 1 is empty"),
        (["uhi", "uyou"], "alternate"),
        (["ahello", "uhi"], "alternate"),
        (["uhi", "ahello"], "alternate"),
        (["sa", "sb", "uhi"], "alternate"),
        (["uhi", "ahello", "sbe kind", "ubye"], "alternate"),
        (["sbe kind"], "alternate"),
    ],
)
def test_what_is_refused(turns: list[str], fault: str) -> None:
    found = fault_of(said(*turns))
    assert fault in found
    assert bool(found) == bool(fault)


def test_it_answers_like_a_server_of_openais_kind() -> None:
    strict = StrictModel()
    with strict.serving() as reference:
        url = reference.removeprefix("openai:strict@")
        with OpenAI(base_url=url, api_key="none", max_retries=0) as client:
            whole = client.chat.completions.create(model="strict", messages=said("sbe kind", "uhi"))
            stream = client.chat.completions.create(model="strict", messages=said("uhi"), stream=True)
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
            with pytest.raises(BadRequestError, match="alternate"):
                client.chat.completions.create(model="strict", messages=said("uhi", "ahello"))
    assert whole.choices[0].message.content == "MODEL was sent two of the messages."
    assert text == "MODEL was sent one of the messages."
    (refused,) = strict.refused
    assert "alternate" in refused


HOUSE = """\
name: house
masters: {chief: {neighbours: [maths]}}
workers:
  maths: {description: "Calculus: derivatives, integrals and limits of functions.", tools: [calculus]}
"""
ROWS: list[dict[str, Any]] = [
    {"id": "cube", "kind": "sums", "turns": ["What is the derivative of x^3?"], "expect": r"3\*x\^2"},
    {"id": "wrong", "kind": "sums", "turns": ["What is the derivative of x^4?"], "expect": r"5\*x"},
    {
        "id": "talk",
        "turns": ["What is the derivative of x^3?", "And its second derivative?"],
        "expect": r"6\*x",
    },
]


@pytest.fixture
def house(tmp_path: Path) -> Any:
    spec = tmp_path / "house.yaml"
    spec.write_text(HOUSE)

    def make(reference: str) -> FastAPI:
        given = {"OCTOPUS_HOME": str(tmp_path), "OCTOPUS_MODEL": reference}
        return create_app(ServerSettings.read(given, graphs=(str(spec),)))

    return make


def test_each_way_is_asked_turn_by_turn(house: Any) -> None:
    steps: list[float] = []
    heard = ask_people(ROWS, house, model="house", advance=steps.append)
    assert [(one.row["id"], one.way, one.right) for one in heard] == [
        (row["id"], way, row["id"] != "wrong") for way in ("history", "thread") for row in ROWS
    ]
    assert {one.path for one in heard} == {("maths",)}
    assert sum(steps) == pytest.approx(1)


def test_the_report_names_what_failed_unless_it_is_sealed(house: Any) -> None:
    report = evaluate_people(ROWS, house, model="house")
    assert "| sums | 2 | 50.0 | 50.0 |" in report.markdown
    assert "| all | 3 | 66.7 | 66.7 |" in report.markdown
    assert "- wrong (history), last turn 'What is the derivative of x^4?', maths: 4*x^3" in report.markdown
    assert report.figures["failed"] == ["wrong (history)", "wrong (thread)"]
    sealed = evaluate_people(ROWS, house, model="house", told=False)
    assert sealed.figures["right"] == report.figures["right"]
    assert "wrong" not in sealed.markdown
    assert "failed" not in sealed.figures


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ('{"id": "a", "turns": [], "expect": "b"}', "`turns` is no list of texts"),
        ('{"id": "a", "turns": ["hi"]}', "`id` or `expect` is no text"),
        ('{"id": "a", "turns": ["hi"], "expect": "("}', "unterminated subpattern"),
    ],
)
def test_a_row_of_another_form_is_named(tmp_path: Path, row: str, fault: str) -> None:
    (tmp_path / "rows.jsonl").write_text(f"{json.dumps(ROWS[0])}\n\n{row}\n")
    with pytest.raises(InputError, match=r"rows.jsonl:3: ") as raised:
        read_people([tmp_path / "rows.jsonl"])
    assert fault in str(raised.value)


def test_an_error_and_a_malformed_request_are_never_right(house: Any) -> None:
    anything = {**ROWS[0], "expect": ""}
    (lost,) = ask_people([anything], house, ways=["history"], model="cellar")
    assert lost.fault.startswith("status 404")
    assert not lost.right
    assert Heard(anything, "history", "fine").right
    assert not Heard(anything, "history", "fine", fault="message 0 is empty").right
