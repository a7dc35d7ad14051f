"""The messages of a checkpoint, whichever channel wrote them, on every saver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from app.persistence.checkpoints import messages_by_checkpoint, messages_of
from app.persistence.errors import PersistenceError
from app.persistence.threads import export_thread, fork_thread, import_thread
from graphs.state import GraphInput
from tests.app.persistence.conftest import KINDS, Target, opened
from tests.app.persistence.samples import Saver, checkpoint, config


def graph(saver: Saver | None, state: Any = GraphInput) -> Any:
    """Answers with the number of messages; asks a person first if the question is `wait`."""

    def answer(given: Any) -> dict[str, Any]:
        if given["messages"][-1].text == "wait":
            interrupt("go on?")
        return {"messages": [AIMessage(f"after {len(given['messages'])}")]}

    builder: Any = StateGraph(state)
    builder.add_node("route", lambda given: {})
    builder.add_node("answer", answer)
    builder.add_edge(START, "route")
    builder.add_edge("route", "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=saver)


async def ask(saver: Saver, *questions: str, state: Any = GraphInput, thread: str = "thread") -> list[str]:
    result: dict[str, Any] = {}
    for question in questions:
        given = {"messages": [("user", question)]}
        result = await graph(saver, state).ainvoke(given, config(thread), durability="sync")
    return texts(result["messages"])


def texts(messages: Any) -> list[str]:
    return [message.text for message in messages]


async def history(saver: Saver, thread: str = "thread", state: Any = GraphInput) -> list[list[str]]:
    """What LangGraph says that the messages were, newest first."""
    steps = graph(saver, state).aget_state_history(config(thread))
    return [texts(step.values.get("messages", [])) async for step in steps]


async def read(saver: Saver, thread: str = "thread") -> list[list[str]]:
    """The same from the bare checkpoints, in both ways."""
    steps = [step async for step in saver.alist(config(thread))]
    one_by_one = [await messages_of(saver, step) for step in steps]
    at_once = await messages_by_checkpoint(saver, steps)
    assert [at_once[step.checkpoint["id"]] for step in steps] == one_by_one
    assert all(message.id for messages in one_by_one for message in messages)
    return [texts(messages) for messages in one_by_one]


@pytest.mark.parametrize("state", [GraphInput, MessagesState], ids=["delta", "plain"])
@pytest.mark.parametrize("kind", KINDS)
async def test_the_messages_are_those_that_langgraph_restores(
    kind: str, state: Any, redis: Target, tmp_path: Path
) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        assert await messages_of(saver, None) == []
        await ask(saver, *map(str, range(60)), state=state)  # more updates than lie between two snapshots
        found = await read(saver)
        assert found == await history(saver, state=state)
        assert found[0][-2:] == ["59", "after 119"] and found[-1] in ([], ["0"])


@pytest.mark.parametrize("kind", KINDS)
async def test_an_old_thread_is_read_and_goes_on(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        old = await ask(saver, "a", "b", state=MessagesState)
        before = await history(saver, state=MessagesState)
        assert await history(saver) == await read(saver) == before
        assert await ask(saver, "c", "d") == [*old, "c", "after 5", "d", "after 7"]
        assert (await read(saver))[-len(before) :] == before
        assert await history(saver) == await read(saver)
        # And back, should somebody return to an older version of the program.
        assert (await history(saver, state=MessagesState))[0] == [*old, "c", "after 5", "d", "after 7"]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_old_thread_that_waits_is_resumed(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        await ask(saver, "a", "wait", state=MessagesState)
        result = await graph(saver).ainvoke(Command(resume="yes"), config())
        assert texts(result["messages"]) == ["a", "after 1", "wait", "after 3"]
        assert await read(saver) == await history(saver)


@pytest.mark.parametrize("kind", KINDS)
async def test_time_travel(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        await ask(saver, "a", "b", "c")
        steps = [step async for step in graph(saver).aget_state_history(config())]
        earlier = next(s for s in steps if texts(s.values["messages"]) == ["a", "after 1"] and not s.next)
        branch = await graph(saver).aupdate_state(
            earlier.config, {"messages": [("user", "instead")]}, as_node="__start__"
        )
        assert texts((await graph(saver).aget_state(branch)).values["messages"])[-1] == "instead"
        result = await graph(saver).ainvoke(None, branch)
        assert texts(result["messages"]) == ["a", "after 1", "instead", "after 3"]
        assert await read(saver) == await history(saver)
        assert ["a", "after 1", "b", "after 3", "c", "after 5"] in await read(saver)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fork_has_the_messages_by_then(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        await ask(saver, "a", "b", "wait")
        steps = [step async for step in saver.alist(config())]
        said = await messages_by_checkpoint(saver, steps)
        middle = next(name for name, messages in said.items() if texts(messages) == ["a", "after 1", "b"])
        await fork_thread(saver, "thread", "middle", middle)
        assert (await history(saver, "middle"))[0] == ["a", "after 1", "b"]
        result = await graph(saver).ainvoke(None, config("middle"))
        assert texts(result["messages"]) == ["a", "after 1", "b", "after 3"]
        await fork_thread(saver, "thread", "end")
        result = await graph(saver).ainvoke(Command(resume="yes"), config("end"))
        assert texts(result["messages"]) == ["a", "after 1", "b", "after 3", "wait", "after 5"]
        assert await read(saver, "end") == await history(saver, "end")
        with pytest.raises(ValueError, match="exists already"):
            await fork_thread(saver, "thread", "end")


async def test_a_fork_refuses_to_lose_another_channel(redis: Target) -> None:
    async with redis.saver() as saver:
        versions: Any = {"messages": 1, "log": 1}
        await saver.aput(
            config(),
            checkpoint({"messages": []}, versions),
            {"counters_since_delta_snapshot": {"log": (1, 1)}},
            versions,
        )
        with pytest.raises(PersistenceError, match="'log'"):
            await fork_thread(saver, "thread", "other")
        assert await saver.aget_tuple(config("other")) is None


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
async def test_a_thread_moves_with_its_history(
    source: str, target: str, redis: Target, tmp_path: Path
) -> None:
    async with (
        opened(source, redis, tmp_path / "one") as one,
        opened(target, redis, tmp_path / "two") as two,
    ):
        await ask(one, "a", state=MessagesState)
        await ask(one, "b", "wait")
        lines = [line async for line in export_thread(one, "thread")]
        await import_thread(two, lines)
        assert await read(two) == await read(one) == await history(two)
        result = await graph(two).ainvoke(Command(resume="yes"), config())
        assert texts(result["messages"])[-2:] == ["wait", "after 5"]


async def test_an_export_grows_with_the_conversation(redis: Target) -> None:
    sizes = []
    async with redis.saver() as saver:
        for _ in range(2):
            await ask(saver, *(f"question {i} " * 30 for i in range(12)))
            sizes.append(sum([len(line) async for line in export_thread(saver, "thread")]))
    assert sizes[1] < 2.2 * sizes[0]


@pytest.mark.parametrize("persistent", [None, True])
@pytest.mark.parametrize("kind", KINDS)
async def test_inside_a_graph_with_a_plain_channel(
    kind: str, persistent: bool | None, redis: Target, tmp_path: Path
) -> None:
    inner = graph(persistent)  # type: ignore[arg-type]
    builder = StateGraph(MessagesState)
    builder.add_node("experts", inner)
    builder.add_edge(START, "experts")
    builder.add_edge("experts", END)
    async with opened(kind, redis, tmp_path / "file") as saver:
        outer: Any = builder.compile(checkpointer=saver)
        for question in ("a", "b"):
            await outer.ainvoke({"messages": [("user", question)]}, config())
        asked = await outer.ainvoke({"messages": [("user", "wait")]}, config())
        assert asked["__interrupt__"][0].value == "go on?"
        result = await outer.ainvoke(Command(resume="yes"), config())
        assert texts(result["messages"]) == ["a", "after 1", "b", "after 3", "wait", "after 5"]
        assert len({message.id for message in result["messages"]}) == 6
