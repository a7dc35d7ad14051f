"""Run an algorithm step by step, within its budget, whatever its parts do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, cast

from agents.reflection.budget import Budget, BudgetUsedError, ReflectionResult, result_of
from agents.reflection.types import ReflectionState, Update

Step = Callable[[ReflectionState], Awaitable[Update]]


class Algorithm(Protocol):
    """Steps over the state of a loop, and which comes after which."""

    @property
    def budget(self) -> Budget:
        """What the loop may spend."""
        ...

    @property
    def steps(self) -> Mapping[str, Step]:
        """The steps by name; each returns the part of the state that it replaces."""
        ...

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """The step after `done` (None: the first one); None ends the loop."""
        ...


def follow(algorithm: Algorithm, done: str | None, state: ReflectionState) -> str | None:
    """The step after `done`; None once there is a reason to stop."""
    return None if state["reason"] else algorithm.next_step(done, state)


async def take(algorithm: Algorithm, name: str, state: ReflectionState) -> Update:
    """Take one step; a budget that is used up, a part that raises and one that hangs give a reason to stop.

    Raises:
        Exception: of the generator, while there is no draft yet that could be returned.
    """
    began = time.monotonic()
    left = algorithm.budget.seconds - state["seconds"]
    try:
        async with asyncio.timeout(left):
            update = await algorithm.steps[name](state)
    except BudgetUsedError as used:
        update = {"reason": str(used)}
    except TimeoutError:
        if not state["rounds"]:
            raise
        update = {"reason": f"the budget of {algorithm.budget.seconds:g} seconds is used up ({name})"}
    except Exception as error:  # parts are models, servers and tools: they raise of everything
        if not state["rounds"]:
            raise
        update = {"reason": f"{name} failed: {type(error).__name__}: {error}"}
    return update | {"seconds": state["seconds"] + time.monotonic() - began}


async def run(algorithm: Algorithm, state: ReflectionState) -> ReflectionResult:
    """Run to the end, without a graph.

    Raises:
        Exception: of the generator, if there is no first draft.
    """
    done: str | None = None
    while name := follow(algorithm, done, state):
        state = cast(ReflectionState, {**state, **await take(algorithm, name, state)})
        done = name
    return result_of(state)
