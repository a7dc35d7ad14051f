import pytest

from agents.errors import InputError
from app.commands.ask import context_of


def test_no_option_leaves_the_context_to_the_defaults() -> None:
    assert context_of(reflection=None, policy=None, experts=None) is None


def test_options_reach_the_context() -> None:
    context = context_of(approve=True, policy="cheap", experts=3, reflection="basic")
    assert context is not None
    assert (context.policy, context.experts, context.reflection) == ("cheap", 3, "basic")
    assert context.approve and context.ask_user


@pytest.mark.parametrize(
    ("name", "value"), [("policy", "dear"), ("experts", 0), ("experts", 99), ("reflection", "deep")]
)
def test_a_wrong_option_is_named(name: str, value: str | int) -> None:
    with pytest.raises(InputError, match=f"--{name} {value!r}"):
        context_of(approve=False, **{name: value})
