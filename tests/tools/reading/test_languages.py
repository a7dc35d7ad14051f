"""Questions of other languages in English, and every other text left as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tools.reading import UnreadError
from tools.reading.languages import _frames, in_english
from tools.registry import SUBJECTS, functions

DATA = yaml.safe_load(Path(__file__).with_name("everyday_questions.yaml").read_text(encoding="utf-8"))
NATURAL = yaml.safe_load(Path("tests/agents/workers/natural_questions.yaml").read_text(encoding="utf-8"))
ENGLISH = [question for group in ("times", "places") for question, _ in DATA[group]]
ENGLISH += [row["question"] for group in ("questions", "declined") for row in NATURAL[group]]
ENGLISH += [example for function in functions(*SUBJECTS) for example in function.examples]


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("¿Cuál es la capital de Perú?", "what is the capital of Peru"),
        ("cual es la capital de peru", "what is the capital of Peru"),
        ("Por favor, ¿cuánto es 12 por 12?", "what is 12 times 12"),
        ("Wie viel ist 12 mal 12?", "what is 12 times 12"),
        ("x^3在x=2处的导数是多少?", "derivative of x^3 at x = 2"),
        ("法国的首都是哪里？", "what is the capital of France"),
    ],
)
def test_a_known_question_is_said_in_english(text: str, english: str) -> None:
    assert in_english(text) == english


def test_english_is_left_as_it_is() -> None:
    assert [text for text in ENGLISH if in_english(text) != text] == []


@pytest.mark.parametrize(
    "text",
    [
        "12 * 12",
        "1,250 plus 30",
        "1,250 minus 30",
        "1,500 m in km",
        "1,500 meter in km",
        "12 per 12",
        "20% of 1,500",
        "3,500 ml in l",
        "",
        "?",
        "Guten Morgen",
        "Hola",
        "¿Cuál es la capital de Perú y por qué?",
        "Warum ist 97 eine Primzahl?",
        "x^3在x=2处的导数是多少，为什么？",
        "¿Cuál es la capital de Perú? " * 20,
    ],
)
def test_every_other_text_is_left_as_it_is(text: str) -> None:
    assert in_english(text) == text


def test_a_number_that_can_be_two_is_refused() -> None:
    with pytest.raises(UnreadError, match=r"'1\.234' can be read in two ways"):
        in_english("Was ist 1.234 mal 2?")


def test_every_frame_can_be_found_and_has_the_slots_of_its_question() -> None:
    for frame in _frames():
        assert all(frame.anchors), frame.pattern
        slots = re.findall(r"\{(\w+)\}", frame.english)
        assert sorted(slots) == sorted(re.findall(r"\{(\w+)\}", frame.pattern)), frame.pattern
        assert re.compile(re.sub(r"\{\w+\}", "x", frame.pattern))


def test_every_language_of_the_files_is_asked() -> None:
    assert {frame.language.code for frame in _frames()} == DATA.keys() - {
        "times",
        "places",
        "held_out",
        "declined",
    }
