"""What a client takes for unchanged without encoding it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from app.persistence.redis.known_content import SeenThreads, Snapshot, StoredList, common


def snapshot(items: list[Any]) -> Snapshot:
    return Snapshot().extended(0, items)


def test_a_longer_list_begins_as_before() -> None:
    messages = [HumanMessage("a", id="1"), AIMessage("b", id="2")]
    known = snapshot(messages)
    assert known.unchanged([*messages, HumanMessage("c")]) == 2
    assert known.unchanged(messages[:1]) == 1
    assert known.extended(2, [*messages, HumanMessage("c")]).unchanged([*messages, HumanMessage("c")]) == 3


def test_a_message_that_changed_in_place_is_noticed() -> None:
    messages = [HumanMessage("a"), HumanMessage("b", additional_kwargs={"seen": [1]})]
    known = snapshot(messages)
    messages[1].additional_kwargs["seen"].append(2)
    assert known.unchanged(messages) == 1
    messages[0].content = "other"
    assert known.unchanged(messages) == 0


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), ({"a": 0}, {"a": False}), ([1], [1.0])])
def test_equal_is_not_enough(before: Any, after: Any) -> None:
    assert before == after
    assert snapshot(["same", before]).unchanged(["same", after]) == 1


def test_what_is_opaque_never_counts_as_unchanged() -> None:
    class Own(HumanMessage):
        pass

    for item in ({1, 2}, Own(content="a"), object()):
        assert snapshot(["a", item]).unchanged(["a", item]) == 1


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_the_common_start_is_the_longest(one: list[int], other: list[int]) -> None:
    size = common(one, other)
    assert one[:size] == other[:size]
    assert size == min(len(one), len(other)) or one[size] != other[size]


def test_only_the_threads_used_last_are_known() -> None:
    seen = SeenThreads(limit=2)
    for thread in ("a", "b", "a", "c"):
        seen.open(thread).learn([b"item"], b"ns", {"log": StoredList(b"ref", (b"item",), 1)})
    assert seen.get("b") is None
    kept = seen.get("a")
    assert kept is not None and kept.items == {b"item"}
    # A list of one namespace serves as the base in another.
    assert kept.list_before(b"other", "log") == kept.list_before(b"ns", "log")
    seen.forget("a")
    assert seen.get("a") is None
    assert not seen.is_noted("c", b"")
    seen.note("c", b"")
    assert seen.is_noted("c", b"")
