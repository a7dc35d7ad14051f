"""What a client asks of a model."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agents.generation import Generation


def test_nought_and_no_are_asked_for_and_nothing_is_not() -> None:
    asked: dict[str, Any] = {"temperature": 0, "seed": 0, "presence_penalty": 0, "parallel_tool_calls": False}
    empty: dict[str, Any] = {
        "n": 1,
        "stop": (),
        "tools": (),
        "logit_bias": {},
        "logprobs": False,
        "top_p": None,
    }
    assert Generation(**asked, **empty).given == asked


def test_what_does_not_go_together_is_named() -> None:
    tool = {"type": "function", "function": {"name": "add"}}
    for given, param in (
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [tool], "n": 2}, "n"),
        ({"tools": [{**tool, "description": "\ud800"}]}, "tools"),
    ):
        with pytest.raises(ValidationError) as caught:
            Generation.model_validate(given)
        assert caught.value.errors()[0]["ctx"]["param"] == param
