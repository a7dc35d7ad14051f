"""Test the measures of choosing functions, on rows small enough to check by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from agents.errors import InputError
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.zero_shot import Vectors
from evaluation.routing.tool_choice import (
    CosineHead,
    answer_of,
    auroc,
    evaluate_choice,
    evaluate_ranking,
    query_of,
)


def row(query: str, functions: dict[str, str], right: str | None = None) -> dict[str, Any]:
    return {
        "id": query,
        "question": [[{"role": "system", "content": "Be brief."}, {"role": "user", "content": query}]],
        "function": [{"name": name, "description": text} for name, text in functions.items()],
        "ground_truth": [{right: {}}] if right else None,
    }


def letters(texts: Sequence[str]) -> Vectors:
    """Return unit vectors of letter counts, whose cosines can be worked out on paper."""
    counts = np.array([[text.lower().count(letter) for letter in "abc"] for text in texts], dtype=np.float32)
    return np.asarray(
        counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9), dtype=np.float32
    )


FUNCTIONS = {"first": "a", "second": "b"}
ROWS = [row("aaa", FUNCTIONS, "first"), row("bb", FUNCTIONS, "second"), row("aab", FUNCTIONS, "second")]


def test_choice_counts_right_rows_and_ranks_fits() -> None:
    metrics = evaluate_choice(ROWS, [row("c", FUNCTIONS), row("ab", {})], letters, CosineHead)
    assert (metrics.rows, metrics.irrelevant) == (3, 2)
    assert metrics.accuracy == pytest.approx(2 / 3)
    assert metrics.abstain_auroc == 1.0


def test_ranking_pools_the_functions_of_all_rows_by_name() -> None:
    rows = [*ROWS, row("cc", {"third": "c", "first": "not read: the first description counts"}, "third")]
    metrics = evaluate_ranking(rows, letters, CosineHead)
    assert (metrics.rows, metrics.functions) == (4, 3)
    assert metrics.top1 == pytest.approx(3 / 4)
    assert metrics.top5 == 1.0


def test_the_zero_shot_head_chooses_with_the_shipped_encoder() -> None:
    functions = {"get_weather": "Weather forecast of a city.", "send_mail": "Sends an e-mail to a person."}
    rows = [row("rain in Lima?", functions, "get_weather"), row("write to Bo", functions, "send_mail")]
    metrics = evaluate_choice(rows, [row("prove Fermat's theorem", functions)], Encoder(threads=1).embed)
    assert metrics.accuracy == 1.0
    assert metrics.abstain_auroc == 1.0


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([0.9, 0.5]), np.array([0.5, 0.1])) == pytest.approx(3.5 / 4)


def test_the_query_is_what_the_user_says() -> None:
    assert query_of(ROWS[0]) == "aaa"


def test_a_row_without_a_right_function_is_named() -> None:
    with pytest.raises(InputError, match=r"'oops'.*'third'"):
        answer_of(row("oops", FUNCTIONS, "third"))
    with pytest.raises(InputError, match="question"):
        query_of({"id": 7})
    with pytest.raises(InputError, match="0 rows"):
        evaluate_choice([], ROWS, letters, CosineHead)
