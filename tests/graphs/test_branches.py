"""Compound questions over the shipped graph: every part to its tool, in order; what is one stays one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from langchain_core.messages import HumanMessage

from agents.octopus.conversation.compound import parts_of
from app.settings import Settings
from graphs.assembly import assemble, find_spec
from graphs.branches import outcomes

HERE = Path(__file__).parent
COMPOUND = yaml.safe_load((HERE / "compound_questions.yaml").read_text(encoding="utf-8"))
WHOLE = yaml.safe_load((HERE / "whole_questions.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mmlu() -> Iterator[Any]:
    assembly = assemble(find_spec("mmlu"), Settings.read())
    yield assembly.graph().compile()
    assembly.close()


def test_there_are_enough() -> None:
    assert len({row["q"] for row in COMPOUND}) >= 60
    assert {len(row["a"]) for row in COMPOUND} == {2, 3, 4}
    assert len(set(WHOLE)) >= 60


@pytest.mark.parametrize("row", COMPOUND, ids=lambda row: row["q"])
async def test_every_part_is_solved_by_its_tool_in_order(row: dict[str, Any], mmlu: Any) -> None:
    result = await mmlu.ainvoke({"messages": [HumanMessage(row["q"])]})
    hops = outcomes(result["hops"])
    found = [[str(hop["evidence"].get("function", hop["node"])), hop["answer"]] for hop in hops]
    assert len(found) == len(row["a"]), found
    text, after = result["messages"][-1].text, 0
    for (function, answer), (subject, beginning) in zip(found, row["a"], strict=True):
        assert function.startswith(f"{subject}."), (function, answer)
        assert answer.startswith(beginning), (function, answer)
        after = text.index(answer, after) + 1


@pytest.mark.parametrize("question", WHOLE)
def test_what_is_one_question_stays_whole(question: str) -> None:
    assert parts_of(question) == (question,)
