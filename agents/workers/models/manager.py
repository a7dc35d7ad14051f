"""Load models on first use, share them, and unload the least recently used when memory is needed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from agents.errors import ModelUnavailableError


class Loaded(Protocol):
    """Describe a model in memory."""

    @property
    def size(self) -> int:
        """Return the bytes of its weights."""
        ...

    def unload(self) -> None:
        """Give the memory back."""
        ...


M = TypeVar("M", bound=Loaded)


@dataclass(frozen=True)
class Source(Generic[M]):
    """Say where a model comes from.

    Attributes:
        key: equal for references to the same model in memory.
        load: brings it into memory; blocking.
        size: bytes that it will take; 0 if unknown.
        name: for messages.
    """

    key: Hashable
    load: Callable[[], M]
    size: int
    name: str


@dataclass
class _Entry(Generic[M]):
    future: Future[M] = field(default_factory=Future)
    size: int = 0
    users: int = 0


class ModelManager(Generic[M]):
    """Keep models within a memory budget; threads may share it.

    Args:
        budget: bytes that all models may take together.
    """

    def __init__(self, budget: int) -> None:
        if budget < 1:
            raise ValueError(f"the memory budget must be positive, not {budget!r}.")
        self.budget = budget
        self._entries: OrderedDict[Hashable, _Entry[M]] = OrderedDict()
        self._changed = threading.Condition()

    @contextmanager
    def lease(self, source: Source[M]) -> Iterator[M]:
        """Hold the model in memory until the block ends; wait for room while others are in use.

        Raises:
            ModelUnavailableError: it is larger than the budget.
        """
        entry, first = self._enter(source)
        try:
            if first:
                self._load(source, entry)
            yield entry.future.result()
        finally:
            with self._changed:
                entry.users -= 1
                self._changed.notify_all()

    def warm(self, source: Source[M]) -> None:
        """Begin to load a model that will be needed soon; a fault is raised again by its `lease`."""

        def touch() -> None:
            try:
                with self.lease(source):
                    pass
            except Exception:  # noqa: S110 - raised again for whoever leases it
                pass

        with self._changed:
            if source.key in self._entries:
                return
        threading.Thread(target=touch, name="warm-up", daemon=True).start()

    def loaded(self) -> list[Hashable]:
        """List the keys of the models in memory, least recently used first."""
        with self._changed:
            return [key for key, entry in self._entries.items() if entry.future.done()]

    def close(self) -> None:
        """Unload what is not in use."""
        with self._changed:
            self._make_room(self.budget)

    def _enter(self, source: Source[M]) -> tuple[_Entry[M], bool]:
        """Return the entry, counted as in use, and whether it must be loaded."""
        if source.size > self.budget:
            raise self._too_large(source, source.size)
        with self._changed:
            while (entry := self._entries.get(source.key)) is None and not self._make_room(source.size):
                self._changed.wait()
            first = entry is None
            if entry is None:
                entry = self._entries[source.key] = _Entry(size=source.size)
            self._entries.move_to_end(source.key)
            entry.users += 1
            return entry, first

    def _load(self, source: Source[M], entry: _Entry[M]) -> None:
        try:
            model = source.load()
            if model.size > self.budget:
                model.unload()
                raise self._too_large(source, model.size)
        except BaseException as error:
            with self._changed:
                del self._entries[source.key]  # the next one tries again
            entry.future.set_exception(error)
            return
        with self._changed:
            entry.size = model.size
            entry.future.set_result(model)
            self._make_room(0)

    def _make_room(self, wanted: int) -> bool:
        """Unload idle models, oldest use first, until `wanted` bytes fit; return whether they do."""
        for key, entry in list(self._entries.items()):
            if self._used() + wanted <= self.budget:
                break
            if entry.users == 0 and entry.future.done():
                del self._entries[key]
                entry.future.result().unload()
        return self._used() + wanted <= self.budget

    def _used(self) -> int:
        return sum(entry.size for entry in self._entries.values())

    def _too_large(self, source: Source[M], size: int) -> ModelUnavailableError:
        return ModelUnavailableError(
            f"the model {source.name!r} takes {size / 1e9:.2f} GB, the budget is {self.budget / 1e9:.2f} GB.",
            hint="Raise OCTOPUS_MODEL_MEMORY, load it quantised (?load=4bit), or serve it.",
        )
