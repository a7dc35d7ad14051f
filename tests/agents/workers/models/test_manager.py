"""The model manager, with models that are only a size; one thread's budget is another's wait."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest

from agents.errors import ModelUnavailableError
from agents.workers.models.manager import ModelManager, Source


@dataclass
class Weights:
    size: int
    unloaded: bool = False

    def unload(self) -> None:
        self.unloaded = True


@dataclass
class Shelf:
    """Sources by name, and what was loaded from them."""

    loads: list[str] = field(default_factory=list)
    delay: float = 0.0

    def source(self, name: str, size: int = 10, known: bool = True) -> Source[Weights]:
        def load() -> Weights:
            time.sleep(self.delay)
            self.loads.append(name)
            return Weights(size)

        return Source(name, load, size if known else 0, name)


def test_loads_on_first_use_and_shares() -> None:
    shelf, manager = Shelf(), ModelManager[Weights](100)
    assert manager.loaded() == []
    with manager.lease(shelf.source("a")) as first, manager.lease(shelf.source("a")) as second:
        assert first is second
    assert shelf.loads == ["a"]


def test_the_least_recently_used_makes_room() -> None:
    shelf, manager = Shelf(), ModelManager[Weights](25)
    kept = {}
    for name in ("a", "b", "a", "c"):
        with manager.lease(shelf.source(name)) as kept[name]:
            pass
    assert manager.loaded() == ["a", "c"]
    assert kept["b"].unloaded
    assert not kept["a"].unloaded
    assert shelf.loads == ["a", "b", "c"]


@pytest.mark.parametrize("known", [True, False])
def test_a_model_beyond_the_budget_is_refused(known: bool) -> None:
    shelf, manager = Shelf(), ModelManager[Weights](5)
    with (
        pytest.raises(ModelUnavailableError, match=r"'a' takes .* OCTOPUS_MODEL_MEMORY"),
        manager.lease(shelf.source("a", known=known)),
    ):
        pass
    assert manager.loaded() == []


def test_one_in_use_stays_and_another_waits_for_it() -> None:
    shelf, manager = Shelf(), ModelManager[Weights](15)
    entered = threading.Event()

    def other() -> None:
        with manager.lease(shelf.source("b")):
            entered.set()

    thread = threading.Thread(target=other)
    with manager.lease(shelf.source("a")) as model:
        thread.start()
        assert not entered.wait(0.1)
        assert not model.unloaded
    assert entered.wait(5)
    thread.join()
    assert model.unloaded


def test_many_threads_load_once() -> None:
    shelf, manager = Shelf(delay=0.05), ModelManager[Weights](100)

    def use() -> None:
        with manager.lease(shelf.source("a")) as model:
            assert not model.unloaded

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shelf.loads == ["a"]


def test_warming_up_returns_at_once_and_the_lease_waits_for_it() -> None:
    shelf, manager = Shelf(delay=1.0), ModelManager[Weights](100)
    manager.warm(shelf.source("a"))
    assert shelf.loads == []
    with manager.lease(shelf.source("a")):
        pass
    manager.warm(shelf.source("a"))
    assert shelf.loads == ["a"]


def test_a_failed_load_is_told_and_tried_again() -> None:
    manager = ModelManager[Weights](100)
    outcomes: list[Weights | OSError] = [OSError("disk"), Weights(1)]

    def load() -> Weights:
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    source = Source("a", load, 1, "a")
    with pytest.raises(OSError, match="disk"), manager.lease(source):
        pass
    with manager.lease(source) as model:
        assert model.size == 1
    manager.close()
    assert model.unloaded
    assert manager.loaded() == []
