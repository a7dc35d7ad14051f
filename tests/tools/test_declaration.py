"""Declarations: what `tool` reads from a function."""

from __future__ import annotations

from jsonschema import Draft202012Validator

from tools.declaration import Cue, Parameter, ToolFunction, cue, tool
from tools.registry import SUBJECTS, function, functions
from tools.types import MEANINGS, Expression, Now, Order


@tool(
    asks="derive, rate of change",
    examples=("derive x^2",),
    cues={"order": cue("of order, times", after="times", needed=True)},
    words="function",
)
def derive(expression: Expression, order: Order | None = None) -> str:
    """Derive a formula."""
    return f"{expression}{order or ''}"


def test_a_declared_function_is_itself_and_a_tool() -> None:
    declared = derive.__dict__["tool"]
    assert isinstance(declared, ToolFunction)
    assert derive(Expression("x")) == declared.call(Expression("x")) == "x"
    assert declared.name == "test_declaration.derive"
    assert declared.description == "Derive a formula."
    assert declared.signature == "derive(expression: Expression, order: Order | None = None) -> str"
    assert (declared.asks, declared.words) == (("derive", "rate of change"), ("function",))
    assert declared.libraries == ()


def test_parameters_have_their_types_and_cues() -> None:
    assert derive.__dict__["tool"].parameters == (
        Parameter("expression", Expression, Cue(), required=True),
        Parameter("order", Order, Cue(("of order", "times"), ("times",), needed=True), required=False),
    )


def test_the_schema_of_the_arguments_says_their_types_and_what_they_are() -> None:
    assert function("dates.age").summary == "Tells how many years old somebody is who was born on a date."
    assert function("dates.age").json_schema == {
        "type": "object",
        "properties": {
            "born": {
                "type": "string",
                "description": "the date of birth; a calendar date, ISO 8601: `2024-02-29`.",
            },
            "on": {
                "type": "string",
                "description": "the date on which the age is asked; today if left out; a calendar date, "
                "ISO 8601: `2024-02-29`.",
            },
        },
        "required": ["born"],
        "additionalProperties": False,
    }
    matrix = function("linear_algebra.determinant").json_schema["properties"]["matrix"]
    assert matrix["items"] == {"type": "array", "items": {"type": "number"}}


def test_every_function_has_a_sound_schema_and_every_parameter_a_meaning() -> None:
    for one in functions(*SUBJECTS):
        Draft202012Validator.check_schema(one.json_schema)
        assert one.summary.endswith("."), one.name
        assert "Args" not in one.summary
        wanted = {parameter.name for parameter in one.parameters if parameter.type is not Now}
        assert one.json_schema["properties"].keys() == wanted
        for name, value in one.json_schema["properties"].items():
            assert value["description"].strip("."), (one.name, name)
        assert all(parameter.type in MEANINGS for parameter in one.parameters), one.name
