"""The model that refuses what many servers refuse."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, OpenAI

from evaluation.loopback import StrictModel, fault_of


def said(*turns: str) -> list[Any]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [{"role": roles[turn[0]], "content": turn[1:]} for turn in turns]


@pytest.mark.parametrize(
    ("turns", "fault"),
    [
        (["uhi"], ""),
        (["sbe kind", "uhi", "ahello", "ubye"], ""),
        ([], "not a list"),
        (["u "], "message 0 is empty"),
        (["uhi", "a"], "message 1 is empty"),
        (["uhi", "uyou"], "alternate"),
        (["ahello", "uhi"], "alternate"),
        (["uhi", "ahello"], "alternate"),
        (["sa", "sb", "uhi"], "alternate"),
        (["uhi", "ahello", "sbe kind", "ubye"], "alternate"),
        (["sbe kind"], "alternate"),
    ],
)
def test_what_is_refused(turns: list[str], fault: str) -> None:
    found = fault_of(said(*turns))
    assert fault in found
    assert bool(found) == bool(fault)


def test_it_answers_like_a_server_of_openais_kind() -> None:
    strict = StrictModel()
    with strict.serving() as reference:
        url = reference.removeprefix("openai:strict@")
        with OpenAI(base_url=url, api_key="none", max_retries=0) as client:
            whole = client.chat.completions.create(model="strict", messages=said("sbe kind", "uhi"))
            stream = client.chat.completions.create(model="strict", messages=said("uhi"), stream=True)
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
            with pytest.raises(BadRequestError, match="alternate"):
                client.chat.completions.create(model="strict", messages=said("uhi", "ahello"))
    assert whole.choices[0].message.content == "MODEL was sent two of the messages."
    assert text == "MODEL was sent one of the messages."
    (refused,) = strict.refused
    assert "alternate" in refused
