"""Check what is learnt from rows."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from agents.errors import InputError
from agents.octopus.causal.prompt import PromptFormat, PromptTokenizer
from agents.octopus.tokens import slot_token
from agents.types import Edge, NodeName
from tests.training.causal.subjects import ROWS, in_ids, master
from training.rows.labelled_rows import RouterRow

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def test_a_rephrased_query_is_neither_thinned_nor_echoed_around(tmp_path: Path) -> None:
    query = "why does my cat sneeze"
    anew = RouterRow(query=query, node="biology", rewritten="Name causes of sneezing.")
    framed = RouterRow(query=query, node="biology", rewritten=f"Why: {query}?")
    data = in_ids(tmp_path, [anew, framed])
    tokenizer = data.grammar.tokenizer
    noise = tokenizer.user_ids("blorp 17 zz")

    def called(row: RouterRow) -> str:
        example = data.echo(row, noise, around=True)
        return tokenizer.control.decode(example.ids[example.start + 1 :], skip_special_tokens=True)

    assert called(anew) == "('blorp 17 zz')"
    assert called(framed) == "('Why: blorp 17 zz?')"
    thinned = [[data.thinned(row, random.Random(seed)) for seed in range(20)] for row in (anew, framed)]
    assert all(row == anew for row in thinned[0])
    assert any(row.query != query for row in thinned[1])
    assert all(row.rewritten == f"Why: {row.query}?" for row in thinned[1])


def test_a_row_weighs_what_it_says(tmp_path: Path) -> None:
    nodes = ("math", "math", None, None)
    rows = [RouterRow(query="q", node=node, weight=1.0 if k % 2 else 0.5) for k, node in enumerate(nodes)]
    data = in_ids(tmp_path, rows)
    assert [data.example(row).weight for row in rows] == [0.5, 1.0, 0.5, 1.0]


def test_class_weights_balance_skewed_rows() -> None:
    from training.causal.call_rows import class_weights

    rows = [RouterRow(query="q", node="a")] * 90 + [RouterRow(query="q", node="b")] * 10
    places = {"a": 0, "b": 1}
    assert class_weights(rows, places, 0.0)[:2] == [1, 1]
    balanced = class_weights(rows, places, 1.0)
    assert 90 * balanced[0] == pytest.approx(10 * balanced[1])
    assert 90 * balanced[0] + 10 * balanced[1] == pytest.approx(100)


def test_a_token_that_the_base_lacks_is_named(tmp_path: Path) -> None:
    from training.causal.base import TINY_FORMAT
    from training.causal.call_rows import CallRows

    in_ids(tmp_path, ROWS)
    prompts = PromptFormat(PromptTokenizer.read(tmp_path), *TINY_FORMAT)
    many = replace(master(), edges={NodeName("math"): Edge(NodeName("math"), slot_token(8))})
    with pytest.raises(InputError, match=r"no token <nexa_8>.*--slots"):
        CallRows.of(ROWS, prompts, many, balance=0.0)


def test_a_step_has_the_same_batch_whatever_was_drawn_before(tmp_path: Path) -> None:
    from training.causal.call_rows import Sampler

    data = in_ids(tmp_path, ROWS)
    first, second = (Sampler(data, 4, "0:base", 40, copying=True) for _ in range(2))
    first.examples(0), first.examples(39)
    assert first.examples(20) == second.examples(20)
    assert len(second.examples(3)) == 4 and second.examples(3) != second.examples(4)
    with pytest.raises(InputError, match="hardly any row has 3 tokens"):
        Sampler(data, 4, "0:base", 40, longest=3).examples(0)


def test_only_the_call_is_learnt(tmp_path: Path) -> None:
    from training.causal.call_rows import IGNORED, collate

    data = in_ids(tmp_path, ROWS)
    examples = [data.example(row) for row in ROWS[:5]]
    ids, labels, choice = collate(examples)
    for row, example in enumerate(examples):
        learnt = (labels[row] != IGNORED).nonzero().flatten().tolist()
        assert learnt == list(range(example.start + 1, len(example.ids)))
        assert int(choice[row]) == example.start - 1
        assert int(ids[row, example.start]) == data.legal[example.label]
