"""The state of one listing: which thread it is at, where in it, and how many checkpoints are still wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple, get_checkpoint_id

from app.persistence.redis.maintenance import thread_ids
from app.persistence.redis.operations import Operation
from app.persistence.redis.reading import list_page
from app.persistence.redis.thread_layout import Layout


class Listing:
    """Pages of checkpoints; ask for the next one while it is `unfinished`."""

    def __init__(
        self,
        layout: Layout,
        config: RunnableConfig | None,
        matches: Mapping[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> None:
        self._layout = layout
        self._matches = matches
        self._before = (get_checkpoint_id(before) if before else None) or ""
        self._left = limit
        self._configs: list[RunnableConfig] | None = None if config is None else [config]
        self._cursor: tuple[bytes, bytes] | None = None

    @property
    def unfinished(self) -> bool:
        """Whether there may be another page."""
        return self._configs != [] and (self._left is None or self._left > 0)

    def page(self) -> Operation[list[CheckpointTuple]]:
        """The next page, which may be empty."""
        if self._configs is None:
            threads = yield from thread_ids(self._layout)
            self._configs = [{"configurable": {"thread_id": thread}} for thread in threads]
            if not self._configs:
                return []
        found, self._cursor = yield from list_page(
            self._layout, self._configs[0], self._matches, self._before, self._left, self._cursor
        )
        if self._cursor is None:
            self._configs = self._configs[1:]
        if self._left is not None:
            found = found[: self._left]
            self._left -= len(found)
        return found
