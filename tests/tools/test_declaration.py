"""Declarations: what `tool` reads from a function."""

from __future__ import annotations

from tools.declaration import Cue, Parameter, ToolFunction, cue, tool
from tools.types import Expression, Order


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
