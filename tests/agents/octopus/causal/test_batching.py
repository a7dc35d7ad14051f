"""Who waits together is answered together, each with its own answer or error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from agents.octopus.causal.batching import Batcher


def test_those_who_wait_are_one_batch() -> None:
    started, go_on, sizes = threading.Event(), threading.Event(), list[int]()

    def double(numbers: Sequence[int]) -> list[int]:
        sizes.append(len(numbers))
        started.set()
        go_on.wait(5)
        return [2 * number for number in numbers]

    batcher = Batcher(double, most=8)
    first = batcher.submit([1])
    started.wait(5)
    others = [future for number in range(20) for future in batcher.submit([number])]
    go_on.set()
    assert first[0].result(5) == 2
    assert [future.result(5) for future in others] == [2 * number for number in range(20)]
    assert sizes == [1, 8, 8, 4]


def test_never_two_batches_at_a_time() -> None:
    busy, most = 0, 0

    def watch(numbers: Sequence[int]) -> Sequence[int]:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        threading.Event().wait(0.001)
        busy -= 1
        return numbers

    batcher = Batcher(watch, most=3)
    answers: dict[int, int] = {}

    def ask(start: int) -> None:
        for number in range(start, start + 20):
            answers[number] = batcher.ask([number])[0]

    threads = [threading.Thread(target=ask, args=(20 * k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: number for number in range(120)}
    assert most == 1


async def test_one_who_gives_up_does_not_hold_the_others() -> None:
    started, go_on = threading.Event(), threading.Event()
    seen: list[int] = []

    def slow(numbers: Sequence[int]) -> Sequence[int]:
        seen.extend(numbers)
        started.set()
        go_on.wait(5)
        return numbers

    batcher = Batcher(slow)
    first = asyncio.create_task(batcher.ask_async([0]))
    await asyncio.to_thread(started.wait, 5)
    tasks = [asyncio.create_task(batcher.ask_async([number])) for number in range(1, 5)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(first, *tasks[1:]) == [[0], [2], [3], [4]]
    assert 1 not in seen


def test_an_error_goes_to_the_one_who_caused_it_only() -> None:
    sizes = list[int]()

    def invert(numbers: Sequence[float]) -> list[float]:
        sizes.append(len(numbers))
        return [1 / number for number in numbers]

    batcher = Batcher(invert)
    with pytest.raises(ZeroDivisionError):
        batcher.ask([1, 0])
    assert batcher.ask([2]) == [0.5]
    sizes.clear()
    good, bad, other = batcher.submit([1, 0, 2])
    assert (good.result(5), other.result(5)) == (1, 0.5)
    assert isinstance(bad.exception(5), ZeroDivisionError)
    assert batcher.ask([1, 2, 4]) == [1, 0.5, 0.25]
    assert sizes == [3, 1, 1, 1, 3]
