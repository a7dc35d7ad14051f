"""Streams that a client leaves."""

from __future__ import annotations

import time

import pytest

from tests.app.server.live import BREAD, CUBE, Live


@pytest.mark.parametrize("wait", [0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08])
def test_a_client_that_leaves_at_any_moment_and_asks_again_is_not_taken_twice(
    live: Live, wait: float
) -> None:
    thread = f"left{wait}"
    body = {"model": "house", "stream": True, "messages": [{"role": "user", "content": BREAD}]}
    live.ask(CUBE, thread=thread)
    with live.http() as client:
        header = {"X-Octopus-Thread": thread}
        with client.stream("POST", "/v1/chat/completions", json=body, headers=header):
            time.sleep(wait)
        time.sleep(0.2)
        if len(client.get(f"/threads/{thread}").json()["messages"]) < 4:
            assert live.ask(BREAD, thread=thread)["octopus"]["path"] == ["cooking"]
        found = client.get(f"/threads/{thread}").json()
        assert [message["role"] for message in found["messages"]] == ["user", "assistant"] * 2
        assert [hop["node"] for hop in found["hops"]] == ["cooking"]
