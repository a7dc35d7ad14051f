"""Give each caller a part of a store, so that what one's runs learnt is in nobody else's prompt."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchOp,
)

from app.server.api_keys import Caller


def owner_label(caller: Caller) -> str:
    """Return the caller as a label of a namespace: the store refuses periods, and no name has a "~"."""
    return (caller.name or "~local").replace(".", "~")


class OwnedStore(BaseStore):
    """Show the namespaces of `store` that begin with `owner`, and no others.

    Args:
        store: shared by all callers.
        owner: the first label of every namespace.
    """

    def __init__(self, store: BaseStore, owner: str) -> None:
        self._store = store
        self._owner = owner

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run the operations on the owner's part of the store."""
        asked = list(ops)
        return [self._outside(r) for r in self._store.batch([self._inside(op) for op in asked])]

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run the operations on the owner's part of the store."""
        asked = list(ops)
        return [self._outside(r) for r in await self._store.abatch([self._inside(op) for op in asked])]

    def _inside(self, op: Op) -> Op:
        match op:
            case GetOp() | PutOp():
                return op._replace(namespace=(self._owner, *op.namespace))
            case SearchOp():
                return op._replace(namespace_prefix=(self._owner, *op.namespace_prefix))
            case ListNamespacesOp():
                return self._listing(op)
        raise TypeError(f"a store has no operation {type(op).__name__}.")

    def _listing(self, op: ListNamespacesOp) -> ListNamespacesOp:
        given = op.match_conditions or ()
        prefixes = [c.path for c in given if c.match_type == "prefix"] or [()]
        own = [MatchCondition("prefix", (self._owner, *path)) for path in prefixes]
        rest = [c for c in given if c.match_type != "prefix"]
        depth = None if op.max_depth is None else op.max_depth + 1
        return op._replace(match_conditions=(*own, *rest), max_depth=depth)

    def _outside(self, result: Any) -> Any:
        if isinstance(result, Item):  # a SearchItem too
            return self._shown(result)
        if isinstance(result, list):
            return [r[1:] if isinstance(r, tuple) else self._shown(r) for r in result]
        return result

    @staticmethod
    def _shown(item: Item) -> Item:
        shown = copy.copy(item)
        shown.namespace = item.namespace[1:]
        return shown
