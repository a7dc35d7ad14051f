"""A loop is bounded, returns its best draft and says why it stopped, whatever its parts do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.reflection.algorithms import Auto, Basic, Reflexion
from agents.reflection.lats import Lats
from agents.reflection.loop import Algorithm, Budget, ReflectionResult, run
from agents.reflection.types import Parts, new_state
from tests.agents.reflection.scripted import (
    LetterStepper,
    ScriptedCritic,
    ScriptedGenerator,
    ScriptedVerifier,
)

Made = Callable[[Parts, Budget], Algorithm]
ALL = pytest.mark.parametrize("algorithm", [Basic, Reflexion, Lats, Auto])
VERIFYING = pytest.mark.parametrize("algorithm", [Reflexion, Lats, Auto])


async def outcome(
    algorithm: Made,
    budget: Budget,
    *,
    generator: ScriptedGenerator | None = None,
    critic: ScriptedCritic | None = None,
    verifier: ScriptedVerifier | None = None,
) -> ReflectionResult:
    parts = Parts(
        generator or ScriptedGenerator(),
        critic or ScriptedCritic(),
        verifier or ScriptedVerifier(),
        LetterStepper(),
    )
    return await run(algorithm(parts, budget), new_state("question", probability=0.3))


@ALL
async def test_a_critic_that_never_agrees(algorithm: Made) -> None:
    result = await outcome(algorithm, Budget(rounds=4))
    assert len(result.rounds) <= 4
    assert result.reason in ("the budget of 4 rounds is used up", "every path of the tree was tried")
    assert result.best["draft"]


@ALL
@pytest.mark.parametrize("tokens", [1, 5, 6, 7, 11, 23])
async def test_tokens_are_never_exceeded(algorithm: Made, tokens: int) -> None:
    result = await outcome(algorithm, Budget(rounds=100, tokens=tokens))
    assert result.tokens <= tokens
    assert "tokens" in result.reason
    assert result.best["draft"] in ("draft"[:tokens], "abb")  # never one that was cut off later


@VERIFYING
async def test_a_verifier_that_raises(algorithm: Made) -> None:
    result = await outcome(algorithm, Budget(), verifier=ScriptedVerifier(error=OSError("no disk")))
    assert result.reason == "verify failed: OSError: no disk"
    assert result.best["draft"] == "draft"


@ALL
async def test_a_critic_that_raises(algorithm: Made) -> None:
    result = await outcome(algorithm, Budget(), critic=ScriptedCritic(error=ValueError("what?")))
    assert "failed: ValueError: what?" in result.reason
    assert result.best["draft"] == "draft"


@ALL
async def test_a_model_that_returns_nothing(algorithm: Made) -> None:
    result = await outcome(algorithm, Budget(rounds=3), generator=ScriptedGenerator([""]))
    assert len(result.rounds) <= 3
    assert result.reason
    assert result.rounds[0]["feedback"] == "The answer was empty."


async def test_an_empty_draft_is_not_preferred() -> None:
    result = await outcome(Reflexion, Budget(rounds=3), generator=ScriptedGenerator(["", "b", ""]))
    assert result.best["draft"] == "b"


@pytest.mark.parametrize("algorithm", [Basic, Reflexion])
async def test_a_model_that_hangs(algorithm: Made) -> None:
    result = await outcome(algorithm, Budget(seconds=0.2), generator=ScriptedGenerator(seconds=60))
    assert result.reason == "the budget of 0.2 seconds is used up (draft)"
    assert result.best["draft"] == "draft"


@VERIFYING
async def test_a_verifier_that_hangs(algorithm: Made) -> None:
    result = await outcome(algorithm, Budget(seconds=0.2), verifier=ScriptedVerifier(seconds=60))
    assert result.reason == "the budget of 0.2 seconds is used up (verify)"
    assert result.best["draft"] == "draft"


async def test_without_a_first_draft_the_error_is_the_generators() -> None:
    with pytest.raises(ConnectionError, match="down"):
        await outcome(Basic, Budget(), generator=ScriptedGenerator([ConnectionError("down")]))


async def test_a_later_draft_that_raises_leaves_the_earlier_one() -> None:
    result = await outcome(Basic, Budget(), generator=ScriptedGenerator(["first", ConnectionError("down")]))
    assert (result.best["draft"], result.reason) == ("first", "draft failed: ConnectionError: down")


@pytest.mark.parametrize("limit", [{"rounds": 0}, {"tokens": -1}, {"seconds": 0}])
def test_a_budget_is_positive(limit: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(limit))):
        Budget(**limit)
