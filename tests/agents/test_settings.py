"""Settings from an environment, and the keys of model servers."""

from __future__ import annotations

import pytest
from pydantic import Field

from agents.errors import InputError
from agents.settings import EnvironmentSettings, ProviderKeys


class Limits(EnvironmentSettings):
    most: int = Field(default=3, ge=1, alias="TEST_MOST")
    name: str | None = Field(default=None, alias="TEST_NAME")


def test_variables_are_typed_and_an_empty_one_is_none() -> None:
    assert Limits.read({"TEST_MOST": "5", "TEST_NAME": ""}) == Limits(most=5)
    assert Limits.read({"test_most": "5"}).most == 3  # another variable


def test_a_constructor_does_not_look_at_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_MOST", "7")
    assert (Limits().most, Limits.read({}).most, Limits.read().most) == (3, 3, 7)


@pytest.mark.parametrize("value", ["many", "0"])
def test_a_wrong_value_is_named(value: str) -> None:
    with pytest.raises(InputError, match=f"TEST_MOST='{value}'"):
        Limits.read({"TEST_MOST": value})


def test_keys_are_neither_shown_nor_repeated() -> None:
    keys = ProviderKeys.read({"OPENAI_API_KEY": "sk-secret", "HF_TOKEN": "hf-secret"})
    assert "secret" not in repr(keys)
    said = keys.hidden("sk-secret is wrong, and so is hf-secret")
    assert said == "[OPENAI_API_KEY] is wrong, and so is [HF_TOKEN]"
