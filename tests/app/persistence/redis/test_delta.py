"""DeltaChannel: values that are replayed from the writes of ancestors."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Annotated, Any

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict

from app.persistence import RedisSaver
from app.persistence.errors import LostDataError
from app.persistence.redis.operations import Operation, command
from tests.app.persistence.conftest import Target
from tests.app.persistence.samples import Saver, config, ids


def append(state: list[str], writes: Sequence[list[str]]) -> list[str]:
    return [*state, *(item for write in writes for item in write)]


class Log(TypedDict):
    log: Annotated[list[str], DeltaChannel(append, snapshot_frequency=7)]


class Part(TypedDict):
    number: int
    seconds: float


def fan_out(saver: Saver, seed: int) -> Any:
    """A graph whose workers finish in an order other than that of their tasks."""
    rng = random.Random(seed)
    delays = [rng.random() / 100 for _ in range(8)]

    def work(state: Part) -> Log:
        time.sleep(state["seconds"])
        return {"log": [f"worker {state['number']} " + "x" * rng.randrange(400)]}

    builder = StateGraph(Log)
    builder.add_node("plan", lambda state: {"log": [f"plan {len(state['log'])}"]})
    builder.add_node("work", work, input_schema=Part)
    builder.add_edge(START, "plan")
    sends = [Send("work", Part(number=i, seconds=s)) for i, s in enumerate(delays)]
    builder.add_conditional_edges("plan", lambda _: sends)
    builder.add_edge("work", END)
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("seed", range(20))
def test_fan_out_is_restored_in_the_live_order(redis: Target, seed: int) -> None:
    prefix = f"fan{seed}"
    with redis.saver(prefix=prefix) as saver:
        graph = fan_out(saver, seed)
        live = [graph.invoke({"log": [f"turn {turn}"]}, config())["log"] for turn in range(3)]
    with redis.saver(prefix=prefix) as saver:  # another process
        assert fan_out(saver, seed).get_state(config()).values["log"] == live[-1]


def talk(saver: Saver, turns: int) -> Any:
    builder = StateGraph(Log)
    builder.add_node("answer", lambda state: {"log": [f"answer {len(state['log'])}" * 30]})
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    graph = builder.compile(checkpointer=saver)
    for turn in range(turns):
        graph.invoke({"log": [f"question {turn}"]}, config())
    return graph


def test_a_resume_takes_at_most_three_commands(redis: Target) -> None:
    with redis.saver(prefix="commands") as saver:
        live = talk(saver, 24).get_state(config()).values["log"]
    with redis.saver(prefix="commands") as saver:
        graph = talk(saver, 0)
        saver.get_tuple(config("warm-up"))
        sent = 0
        run = saver.client.run

        def counting(operation: Operation[Any]) -> Operation[Any]:
            nonlocal sent
            reply: Any = None
            try:
                while True:
                    call = operation.send(reply)
                    sent += 1
                    reply = yield call
            except StopIteration as stop:
                return stop.value

        saver.client.run = lambda operation: run(counting(operation))  # type: ignore[method-assign]
        assert graph.get_state(config()).values["log"] == live
        assert 0 < sent <= 3


def test_history_is_that_of_the_base_class(saver: RedisSaver) -> None:
    talk(saver, 9)
    model = InMemorySaver()
    talk(model, 9)
    for where in [config(), *(found.config for found in saver.list(config()))]:
        ours = saver.get_delta_channel_history(config=where, channels=["log", "other"])
        base = super(RedisSaver, saver).get_delta_channel_history(config=where, channels=["log", "other"])
        assert ours == base
    assert saver.get_delta_channel_history(config=config(), channels=[]) == {}
    assert saver.get_delta_channel_history(config=config("none"), channels=["log"]) == {"log": {"writes": []}}


def test_prune_keeps_what_is_replayed(saver: RedisSaver) -> None:
    graph = talk(saver, 12)
    live = graph.get_state(config()).values["log"]
    before = ids(saver, config())
    saver.prune([config()["configurable"]["thread_id"]])
    after = ids(saver, config())
    assert len(after) < len(before) / 2
    assert graph.get_state(config()).values["log"] == live
    assert graph.invoke({"log": ["more"]}, config())["log"][:-2] == live


def test_shallow_history_keeps_what_is_replayed(redis: Target) -> None:
    with redis.saver(history="shallow") as saver:
        graph = talk(saver, 30)
        log = graph.get_state(config()).values["log"]
        assert [line for line in log if line.startswith("q")] == [f"question {i}" for i in range(30)]
        assert len(ids(saver, config())) <= 8 * 2


def test_a_missing_ancestor_is_an_error(redis: Target) -> None:
    with redis.saver() as saver:
        graph = talk(saver, 2)
        lost = ids(saver, config())[1]
        hash_key, set_key = saver.layout.keys.thread("thread")
        member = saver.layout.namespace("") + lost.encode()
        saver.client.run(_delete(hash_key, set_key, member))
        with pytest.raises(LostDataError, match="ancestor"):
            graph.get_state(config())


def _delete(hash_key: bytes, set_key: bytes, member: bytes) -> Any:
    yield command("HDEL", hash_key, b"c" + member)
    yield command("ZREM", set_key, b"c" + member)
