"""What the contract suite leaves out: sync methods, listing, odd ids, order of writes, branches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT

from app.persistence import RedisSaver
from tests.app.persistence.conftest import Target
from tests.app.persistence.samples import Saver, checkpoint, config, ids, put, values

ODD_IDS = [
    "a:b",
    "*",
    "{x}",
    "}{",
    "}",
    "[a-z]",
    "new\nline",
    "\x00",
    "🐙",
    "\ud800",
    "ns\\",
    "",
    " ",
    "a" * 300,
]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_any_id_is_only_itself(saver: RedisSaver, odd: str) -> None:
    for i, other in enumerate(ODD_IDS):
        put(saver, {"c": i}, config("t" + other, other))
    saver.delete_thread("t" + odd)
    for i, other in enumerate(ODD_IDS):
        found = saver.get_tuple(config("t" + other, other))
        assert found is None if other == odd else found and found.checkpoint["channel_values"] == {"c": i}


def test_ids_and_names_come_back_as_they_were(saver: RedisSaver) -> None:
    encodable = [
        odd for odd in ODD_IDS if odd != "\ud800"
    ]  # msgpack has no lone surrogates in names of channels
    for odd in encodable:
        where = put(saver, {odd: 1}, config("t" + odd, odd, "parent"), id="id" + odd)
        saver.put_writes(where, [(odd, 1)], "task" + odd, "path" + odd)
        (found,) = saver.list(config("t" + odd, None))
        assert found.config == config("t" + odd, odd, "id" + odd)
        assert found.parent_config == config("t" + odd, odd, "parent")
        assert found.pending_writes == [("task" + odd, odd, 1)]
    assert {t.config["configurable"]["thread_id"] for t in saver.list(None)} == {
        "t" + odd for odd in encodable
    }


def test_a_thread_id_that_is_no_text_is_its_text(saver: RedisSaver) -> None:
    put(saver, {"a": 1}, {"configurable": {"thread_id": 7, "checkpoint_ns": ""}})
    assert values(saver, config("7")) == {"a": 1}


def test_a_config_without_thread_is_refused(saver: RedisSaver) -> None:
    with pytest.raises(ValueError, match="thread_id"):
        saver.get_tuple({"configurable": {}})


@pytest.mark.parametrize("limit", [None, 0, 1, 31, 32, 33, 64, 70, 100])
def test_pages_of_several_namespaces_come_newest_first(redis: Target, limit: int | None) -> None:
    with redis.saver() as saver:
        numbers = [f"{i:04d}" for i in range(70)]
        for i, number in enumerate(numbers):
            put(saver, {"n": i}, config(namespace=["", "a", "b"][i % 3]), id=number, even=i % 2 == 0)
            if i % 10 == 0:  # one id in two namespaces
                put(saver, {"n": i}, config(namespace="c"), id=number)
        listed = ids(saver, config(namespace=None), limit=limit)
        wanted = sorted(numbers + numbers[::10], reverse=True)[:limit]
        assert listed == wanted
        assert ids(saver, config(namespace="a"), limit=limit) == numbers[1::3][::-1][:limit]
        before = config(checkpoint_id="0050")
        assert (
            ids(saver, config(namespace=""), before=before, limit=limit)
            == [n for n in numbers[::3][::-1] if n < "0050"][:limit]
        )
        assert (
            ids(saver, config(namespace=""), filter={"even": True}, limit=limit)
            == [n for n in numbers[::3][::-1] if int(n) % 2 == 0][:limit]
        )


def test_one_id_is_listed_in_its_namespaces(redis: Target) -> None:
    with redis.saver() as saver:
        for name in ("", "a"):
            put(saver, {}, config(namespace=name), id="1")
            put(saver, {}, config(namespace=name), id="2")
        assert ids(saver, config(namespace=None, checkpoint_id="1")) == ["1", "1"]
        assert ids(saver, config(namespace="a", checkpoint_id="1")) == ["1"]
        assert ids(saver, config(namespace="a", checkpoint_id="1"), before=config(checkpoint_id="1")) == []
        assert ids(saver, config(namespace="a", checkpoint_id="1"), filter={"step": 5}) == []


def test_all_threads_are_listed(saver: RedisSaver) -> None:
    for i in range(5):
        put(saver, {"i": i}, config(f"t{i}"))
    assert len(list(saver.list(None))) == 5
    assert len(list(saver.list(None, limit=3))) == 3
    saver.delete_thread("t3")
    assert list(saver.thread_ids()) == ["t0", "t1", "t2", "t4"]


def writes_as_langgraph_makes_them(saver: Saver) -> Any:
    """Retries, special writes, and tasks whose ids sort otherwise than their paths."""
    where = put(saver, {})
    saver.put_writes(where, [("x", "first"), ("y", [1, 2])], "task-b", "~2")
    saver.put_writes(where, [("x", "again"), ("y", "again"), ("z", "more")], "task-b", "~2")
    saver.put_writes(where, [(ERROR, "one")], "task-a", "~3")
    saver.put_writes(where, [(ERROR, "two")], "task-a", "~3")
    saver.put_writes(where, [(INTERRUPT, "stop"), ("x", None)], "task-c", "~1")
    found = saver.get_tuple(where)
    assert found is not None
    return found.pending_writes


def test_writes_are_kept_as_in_memory(saver: RedisSaver) -> None:
    assert writes_as_langgraph_makes_them(saver) == writes_as_langgraph_makes_them(InMemorySaver())


def test_writes_may_come_before_their_checkpoint(saver: RedisSaver) -> None:
    made = checkpoint({"a": 1})
    saver.put_writes(config(checkpoint_id=made["id"]), [("a", 2)], "task")
    assert saver.get_tuple(config()) is None
    saver.put(config(), made, {}, {"a": 1})
    found = saver.get_tuple(config())
    assert found is not None and found.pending_writes == [("task", "a", 2)]


def a_branch(saver: Saver) -> list[dict[str, Any]]:
    """Two futures of one checkpoint that give a channel the same version, and a copy that names no change."""
    root = put(saver, {"log": ["r" * 300]}, versions={"log": 1}, id="1")
    left = put(saver, {"log": ["r" * 300, "left" * 100]}, root, versions={"log": 2}, id="2")
    right = put(saver, {"log": ["r" * 300, "right" * 100]}, root, versions={"log": 3}, id="3")
    copy = put(saver, {"log": []}, root, versions={"log": 2}, changed={}, id="4")
    return [values(saver, where) for where in (root, left, right, copy)]


def test_branches_do_not_mix(saver: RedisSaver) -> None:
    assert a_branch(saver) == a_branch(InMemorySaver())


def test_equal_versions_of_two_branches_do_not_mix(saver: RedisSaver) -> None:
    root = put(saver, {"log": ["r" * 300]}, id="1")
    left = put(saver, {"log": ["r" * 300, "left" * 100]}, root, versions={"log": 2}, id="2")
    right = put(saver, {"log": ["r" * 300, "right" * 100]}, root, versions={"log": 2}, id="3")
    on_left = put(saver, {}, left, versions={"log": 2}, changed={}, id="4")
    assert values(saver, left)["log"][1].startswith("left")
    assert values(saver, right)["log"][1].startswith("right")
    assert values(saver, on_left)["log"][1].startswith("left")


def test_messages_changed_in_place_are_stored_as_they_are_now(saver: RedisSaver) -> None:
    messages: list[Any] = [HumanMessage("q" * 300, id="1"), AIMessage("a" * 300, id="2")]
    first = put(saver, {"messages": messages}, versions={"messages": 1})
    changes: list[Callable[[], object]] = [
        lambda: setattr(messages[0], "content", "other" * 100),
        lambda: messages[1].additional_kwargs.update(n=1),
        lambda: messages[1].additional_kwargs.update(n=True),
        lambda: messages[1].additional_kwargs.update(n=1.0),
        lambda: messages[1].response_metadata.setdefault("deep", {"list": [1]}),
        lambda: messages[1].response_metadata["deep"]["list"].append(2),
        lambda: messages.pop(0),
        lambda: messages.insert(0, HumanMessage("n" * 300)),
        lambda: messages.append("x" * 300),
        lambda: messages.reverse(),
    ]
    for version, change in enumerate(changes, 2):
        change()
        put(saver, {"messages": messages}, first, versions={"messages": version})
        stored = values(saver, config())["messages"]
        assert stored == messages
        assert [repr(m) for m in stored] == [repr(m) for m in messages]
    assert values(saver, first)["messages"][0].content == "q" * 300


def test_two_readers_get_objects_of_their_own(saver: RedisSaver) -> None:
    put(saver, {"log": [{"a": "x" * 300}]})
    values(saver, config())["log"][0]["a"] = "changed"
    assert values(saver, config())["log"] == [{"a": "x" * 300}]


async def test_sync_and_async_share_one_thread(target: Target) -> None:
    async with target.saver() as saver:
        where = await saver.aput(config(), checkpoint({"a": [1]}), {"source": "loop"}, {"a": 1})
        await saver.aput_writes(where, [("a", 2)], "task")
        assert await asyncio.to_thread(values, saver, config()) == {"a": [1]}
        found = [t async for t in saver.alist(config(), limit=1)]
        assert found[0].pending_writes == [("task", "a", 2)]


def test_one_saver_serves_many_event_loops(redis: Target) -> None:
    with redis.saver() as saver:

        async def run(i: int) -> None:
            await saver.aput(config(f"t{i}"), checkpoint({"a": i}), {}, {"a": 1})
            found = await saver.aget_tuple(config(f"t{i}"))
            assert found is not None and found.checkpoint["channel_values"] == {"a": i}
            await saver.client.aclose()

        for i in range(3):
            asyncio.run(run(i))


def test_versions_go_on_in_the_style_of_the_thread(redis: Target) -> None:
    with redis.saver() as saver:
        first = saver.get_next_version(None, None)
        assert first < saver.get_next_version(first, None) < "00000003"
        imported = InMemorySaver().get_next_version(None, None)
        assert (
            imported < saver.get_next_version(imported, None) < InMemorySaver().get_next_version("2.0", None)
        )
        assert saver.get_next_version(4, None) == 5  # type: ignore[arg-type, comparison-overlap]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"ttl": 0}, "ttl"),
        ({"ttl": -1}, "ttl"),
        ({"prefix": "a:b"}, "prefix"),
        ({"prefix": ""}, "prefix"),
        ({"history": "half"}, "history"),
        ({"encryption_key": b"short"}, "encryption_key"),
        ({"encryption_key": "no base64!"}, "encryption_key"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        RedisSaver.from_url("redis://127.0.0.1", **options)
    with pytest.raises(ValueError, match="http://127"):
        RedisSaver.from_url("http://127.0.0.1")
