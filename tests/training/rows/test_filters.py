"""Find texts that must not be trained on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.errors import InputError
from training.rows.filters import Leaks, NearDuplicates, evaluation_texts

LONG = " ".join(f"word{k}" for k in range(40))


def test_near_duplicates_share_their_words_in_order() -> None:
    seen = NearDuplicates()
    seen.add("How long do I have to boil an egg?")
    seen.add("鸡蛋要煮多长时间才能熟？")
    assert seen.has("how long do I have to boil the egg")
    assert seen.has("鸡蛋要煮多长时间才会熟？")
    assert not seen.has("How hot is the water when an egg is boiled for long?")


def test_a_text_without_words_repeats_only_another_one() -> None:
    seen = NearDuplicates()
    assert not seen.has("?!")
    seen.add("...")
    assert seen.has("?!") and not seen.has("a word")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" ".join(LONG.split()[5:18]), True),
        (" ".join(LONG.split()[5:17]), False),
        ("Say: IS pi, rational at all?", True),
        ("Is pi a rational number?", False),
    ],
)
def test_thirteen_words_in_a_row_leak_and_so_does_a_whole_short_text(text: str, found: bool) -> None:
    assert (Leaks([LONG, "is PI rational"]).found(text) is not None) == found


def test_the_question_of_an_evaluation_row_has_one_of_three_names(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"query": "a"}, {"question": "b", "prompt": "c"}, {"prompt": "d"}, {"text": "e"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    texts = evaluation_texts([path])
    assert [next(texts) for _ in range(3)] == ["a", "b", "d"]
    with pytest.raises(InputError, match=r"rows\.jsonl:4"):
        next(texts)
