"""Functions ranked by the shared encoder."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agents.octopus.embedding import Encoder
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.workers.tool_agent import EncoderChooser
from tools.registry import functions


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
