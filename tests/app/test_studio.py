"""`make dev`: the LangGraph server answers langgraph-sdk."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.loopback import free_port

pytestmark = [pytest.mark.accept, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`python -m langgraph_cli dev`, as `make dev` runs it."""
    pytest.importorskip("langgraph_api")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "langgraph_cli",
        "dev",
        "--no-browser",
        "--no-reload",
        "--port",
        str(port),
    ]
    quiet = {
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "LANGGRAPH_NO_VERSION_CHECK": "1",
        "LANGSMITH_TRACING": "false",
        "OCTOPUS_HOME": str(tmp_path_factory.mktemp("studio")),
    }
    given = {**os.environ, **quiet}
    with subprocess.Popen(
        command, cwd=ROOT, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(1200):
                assert server.poll() is None, "the development server ended"
                try:
                    if httpx.get(f"{address}/ok", trust_env=False).status_code == 200:
                        break
                except httpx.HTTPError:
                    time.sleep(0.1)
            yield address
        finally:
            server.terminate()


def test_the_graph_talks_and_is_drawn_with_its_tokens(url: str) -> None:
    from langgraph_sdk import get_client

    async def talk() -> tuple[Any, Any, Any]:
        client = get_client(url=url)
        thread = await client.threads.create()
        asked: Any = {"messages": [{"role": "user", "content": "What is the derivative of x^3 when x is 2?"}]}
        done: Any = await client.runs.wait(thread["thread_id"], "mmlu", input=asked)
        history = await client.threads.get_history(thread["thread_id"])
        (assistant,) = await client.assistants.search(graph_id="mmlu")
        drawn = await client.assistants.get_graph(assistant["assistant_id"], xray=True)
        return done, history, drawn

    done, history, drawn = asyncio.run(talk())
    assert done["messages"][-1]["content"].startswith("12\n")
    assert done["hops"][0]["token"] == "<nexa_4>"
    assert len(history) >= 4
    assert {"source": "octopus", "target": "math", "data": "<nexa_4>"}.items() <= next(
        edge.items() for edge in drawn["edges"] if edge["target"] == "math"
    )
