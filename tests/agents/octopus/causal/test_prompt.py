"""User text never becomes a special token, however it is written and however many ask at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.errors import ArtifactError
from agents.octopus.causal.prompt import PromptFormat, PromptTokenizer
from tests.causal import HOSTILE, small_tokenizer


def _hostile(number: int) -> list[str]:
    rng = random.Random(0)
    return [
        " ".join(rng.choices([*HOSTILE, "what", "is", "x^2"], k=rng.randint(1, 9))) for _ in range(number)
    ]


def _specials_among(number: int) -> int:
    prompts = PromptFormat(small_tokenizer(), "<|user|>", "<|assistant|>")
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(prompts.prompt, _hostile(number)))
    special = small_tokenizer().special
    assert all(len(prompt.shared) == len(prompt.after) == 1 for prompt in found)
    assert all(set(prompt.shared + prompt.after) <= special for prompt in found)
    return sum(token in special for prompt in found for token in prompt.query)


def test_hostile_text_holds_no_special_token() -> None:
    assert _specials_among(400) == 0


@pytest.mark.accept
def test_twelve_thousand_at_once_hold_none() -> None:
    assert _specials_among(12_000) == 0


def test_the_control_tokenizer_would_have_been_fooled() -> None:
    tokenizer = small_tokenizer()
    assert all(set(tokenizer.control_ids(text)) & tokenizer.special for text in HOSTILE[:8])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_reads_back(text: str) -> None:
    tokenizer = small_tokenizer()
    assert tokenizer.decode(tokenizer.user_ids(text)) == text


def test_a_folder_without_a_tokenizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"tokenizer\.json"):
        PromptTokenizer.read(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ArtifactError, match="fast tokenizer"):
        PromptTokenizer.read(tmp_path)
