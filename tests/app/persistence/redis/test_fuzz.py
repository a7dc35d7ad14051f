"""Any ids, channels and values: what InMemorySaver keeps, we keep."""

from __future__ import annotations

import datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from app.persistence.serializer import StrictSerializer
from tests.app.persistence.conftest import Target
from tests.app.persistence.samples import Saver, config, put

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
IDS = st.one_of(TEXT, st.sampled_from(["*", "a:b", "a", "{a}", "[", "\n", "a|b:c"]))
LONG = st.builds(lambda part, times: part * times, TEXT, st.integers(1, 60))
MESSAGES = st.one_of(
    st.builds(HumanMessage, LONG),
    st.builds(AIMessage, LONG, id=TEXT, response_metadata=st.dictionaries(TEXT, TEXT)),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    LONG,
    st.binary(max_size=300),
    st.datetimes(timezones=st.just(datetime.UTC)),
    MESSAGES,
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
EDITS = st.sampled_from(["append", "drop first", "drop last", "replace", "same", "clear", "mutate"])
STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 5), EDITS, VALUES, st.booleans()),
    min_size=1,
    max_size=14,
)


def edited(log: list[Any], edit: str, value: Any) -> list[Any]:
    """The next state of a list channel."""
    if edit == "append":
        return [*log, value]
    if edit == "drop first":
        return log[1:]
    if edit == "drop last":
        return log[:-1]
    if edit == "replace" and log:
        return [*log[: len(log) // 2], value, *log[len(log) // 2 + 1 :]]
    if edit == "clear":
        return []
    return log


def play(saver: Saver, threads: list[str], names: list[str], channels: list[str], steps: list[Any]) -> Any:
    """Run the steps; returns all that the saver lists."""
    heads: list[tuple[Any, dict[str, Any], dict[str, Any]]] = []
    for i, (thread, name, parent, edit, value, write) in enumerate(steps):
        where = config(threads[thread], names[name])
        kept: dict[str, Any] = {}
        versions: dict[str, Any] = {}
        if heads and heads[parent % len(heads)][0]["configurable"]["thread_id"] == threads[thread]:
            head = heads[parent % len(heads)]
            if head[0]["configurable"]["checkpoint_ns"] == names[name]:
                where, kept, versions = head[0], dict(head[1]), dict(head[2])
        log = edited(kept.get(channels[0], []), edit, value)
        changed = {channels[0]: f"{i}.a"}
        kept[channels[0]] = log
        if edit != "same":
            kept[channels[1]] = value
            changed[channels[1]] = f"{i}.b"
        versions |= changed
        stored = put(saver, kept, where, versions=versions, changed=changed, id=f"{i:04d}", number=i)
        heads.append((stored, kept, versions))
        if write:
            saver.put_writes(stored, [(channels[0], [value]), (channels[1], value)], f"task {i}", f"~{i % 3}")
    return [sorted(map(str, saver.list(config(thread, None)))) for thread in threads]


@pytest.mark.parametrize("key", [None, bytes(16)], ids=["plain", "encrypted"])
@pytest.mark.parametrize(
    "examples", [30, pytest.param(1500, marks=[pytest.mark.accept, pytest.mark.timeout(1800)])]
)
def test_anything_is_kept_as_in_memory(redis: Target, key: bytes | None, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(
        st.lists(IDS, min_size=3, max_size=3, unique=True),
        st.lists(IDS, min_size=2, max_size=2, unique=True),
        st.lists(TEXT, min_size=2, max_size=2, unique=True),
        STEPS,
    )
    def check(threads: list[str], names: list[str], channels: list[str], steps: list[Any]) -> None:
        model = play(InMemorySaver(serde=StrictSerializer()), threads, names, channels, steps)
        prefix = "fuzz" + uuid4().hex
        with redis.saver(encryption_key=key, prefix=prefix) as saver:
            assert play(saver, threads, names, channels, steps) == model
            with redis.saver(encryption_key=key, prefix=prefix) as fresh:
                assert [sorted(map(str, fresh.list(config(thread, None)))) for thread in threads] == model
                for thread in threads:
                    fresh.delete_thread(thread)

    check()
