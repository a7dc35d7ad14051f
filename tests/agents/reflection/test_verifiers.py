"""Verifiers on the real tools in the real sandbox, and schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from agents.reflection.verifiers import SchemaVerifier, SympyVerifier, UnitVerifier
from tools.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("question", "draft", "score", "feedback"),
    [
        ("Solve x^2 - 5x + 6 = 0", "x = 2 or x = 3", 1.0, ""),
        ("Solve x^2 - 5x + 6 = 0", "x = 2 or x = 4", 0.5, "with x = 4"),
        ("solve 2x + 3 = 11", "We get 2x = 8, so x = 4.", 1.0, ""),
        ("Solve the system x + y = 5 and x - y = 1", "x = 3, y = 2", 1.0, ""),
        ("Solve the system x + y = 5 and x - y = 1", "x = 4, y = 1", 0.5, "is 2"),
        ("Solve x^2 - 5x + 6 = 0", "There is none.", 0.0, "no value"),
        ("What is 17*23 + 4?", "It is 395.", 1.0, ""),
        ("What is 17*23 + 4?", "It is 1,395.", 0.0, "-1000"),
        ("What is 17*23 + 4?", "Who knows.", 0.0, "no number"),
    ],
)
async def test_sympy(sandbox: Sandbox, question: str, draft: str, score: float, feedback: str) -> None:
    verdict = await SympyVerifier(sandbox).verify(question, draft, 0)
    assert (verdict.score, verdict.passed) == (score, score == 1.0)
    assert feedback in verdict.feedback


@pytest.mark.parametrize(
    ("draft", "passed", "feedback"),
    [
        ("8.05 km", True, ""),
        ("That is about 8047 m.", True, ""),
        ("80.5 km", False, "5 mile is not 80.5"),
        ("8.05 kg", False, "dimension"),
        ("8.05 zorks", False, "'zorks' is not a unit"),
        ("Far.", False, "no quantity"),
    ],
)
async def test_units(sandbox: Sandbox, draft: str, passed: bool, feedback: str) -> None:
    verdict = await UnitVerifier(sandbox).verify("convert 5 miles to km", draft, 0)
    assert verdict.passed is passed
    assert feedback in verdict.feedback


@pytest.mark.parametrize("verifier", [SympyVerifier, UnitVerifier])
async def test_what_cannot_be_checked_is_an_error(sandbox: Sandbox, verifier: Any) -> None:
    with pytest.raises(ValueError, match="question"):
        await verifier(sandbox).verify("What is the capital of Kenya?", "Nairobi", 0)


SCHEMA = {
    "type": "object",
    "required": ["name", "ages"],
    "properties": {
        "name": {"type": "string", "enum": ["Ada", "Alan"]},
        "ages": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 150}},
    },
}


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        ({"name": "Ada", "ages": [36]}, []),
        ({"name": "Ada", "ages": [36, -1]}, ["$.ages[1]", "-1", "less than", "0"]),
        ({"name": "Ada", "ages": [200]}, ["$.ages[0]", "200", "greater than", "150"]),
        ({"name": "Ada", "ages": [True]}, ["$.ages[0]", "not of type", "integer"]),
        ({"name": "Bob", "ages": []}, ["$.name", "'Bob'", "not one of"]),
        ({"name": "Ada"}, ["$: ", "'ages'", "required"]),
        ([], ["$: ", "not of type", "object"]),
    ],
)
async def test_a_schema(value: Any, facts: list[str]) -> None:
    verdict = await SchemaVerifier(SCHEMA).verify("", json.dumps(value), 0)
    assert (verdict.passed, bool(verdict.feedback)) == (not facts, bool(facts))
    assert all(fact in verdict.feedback for fact in facts), verdict.feedback


async def test_every_fault_lowers_the_score() -> None:
    verdict = await SchemaVerifier(SCHEMA).verify("", json.dumps({"name": "Bob", "ages": [-1, 200]}), 0)
    assert verdict.score == 1 / 4
    assert verdict.feedback.count("$.") == 3


@pytest.mark.parametrize(
    ("schema", "facts"),
    [
        ({"type": "obj"}, ["$.type", "'obj'"]),
        ({"properties": {"name": {"requird": ["x"]}}}, ["$.properties.name", "'requird'"]),
        ({"anyOf": []}, ["$.anyOf"]),
        ({"items": {"minimum": "none"}}, ["$.items.minimum", "'none'"]),
    ],
)
def test_a_wrong_schema_is_refused_with_its_place(schema: dict[str, Any], facts: list[str]) -> None:
    with pytest.raises(ValueError, match="wrong schema") as refused:
        SchemaVerifier(schema)
    assert all(fact in str(refused.value) for fact in facts), str(refused.value)


async def test_the_whole_of_json_schema_is_understood() -> None:
    schema = {
        "$defs": {"name": {"type": "string", "pattern": "^[A-Z]"}},
        "anyOf": [{"$ref": "#/$defs/name"}, {"type": "array", "items": {"$ref": "#/$defs/name"}}],
    }
    verifier = SchemaVerifier(schema)
    assert (await verifier.verify("", '["Ada", "Alan"]', 0)).passed
    assert not (await verifier.verify("", '"ada"', 0)).passed


async def test_a_schema_elsewhere_is_not_fetched() -> None:
    verifier = SchemaVerifier({"$ref": "https://schemas.test/name.json"})
    with pytest.raises(ValueError, match=r"schemas\.test"):
        await verifier.verify("", '"Ada"', 0)


async def test_what_is_not_json_fails() -> None:
    assert "not JSON" in (await SchemaVerifier(SCHEMA).verify("", "Ada, 36", 0)).feedback
