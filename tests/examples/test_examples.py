"""Run the examples."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.app.server.live import CUBE, running
from tests.loopback import ChatServer, free_port
from tests.loopback import serving as serving_chat
from tests.replies import Reply

pytest.importorskip("langserve")

from agents.errors import ModelUnavailableError
from app.server.settings import ServerSettings
from examples import mcp_tool, openai_client, remote_runnable, subgraph_node

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the graph without keys."""
    home = {"OCTOPUS_HOME": str(tmp_path_factory.mktemp("served"))}
    with running(ServerSettings.read(home)) as found:
        yield found


async def test_the_graph_as_a_node() -> None:
    said = await subgraph_node.main(CUBE)
    assert said[1].startswith("12\n")
    assert said[2].startswith("Answered by math (0.9")


async def test_langserve_in_a_chain(url: str) -> None:
    assert (await remote_runnable.main(url, "x^4")).startswith("4*x^3")


def test_openais_client(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = openai_client.main(url, "What is the derivative of x^3?", "And its second derivative?")
    assert first.startswith("3*x^2")
    assert second.startswith("6*x")
    assert "octopus → <nexa_4> math" in capsys.readouterr().out


async def test_an_agent_with_the_graph_as_a_tool(url: str) -> None:
    call = Reply(calls=[("ask_mmlu", {"question": CUBE})])
    with serving_chat(ChatServer(words=["It", " climbs."], replies=[call])) as server:
        model = mcp_tool.chat_model(f"openai:tiny@{server.url}")
        messages = await mcp_tool.main(url, CUBE, model)
        offered: Any = server.requests[0][1]["tools"]
        told = server.requests[1][1]["messages"][-1]
    assert [tool["function"]["name"] for tool in offered] == ["ask_mmlu"]
    assert told["role"] == "tool"
    assert "12\\nComputed with calculus.derivative" in json.dumps(told["content"])
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert messages[-1].text == "It climbs."


SERVED = ["mcp_tool", "openai_client", "remote_graph_node", "remote_runnable"]


@pytest.mark.parametrize("name", [*SERVED, "subgraph_node"])
def test_what_is_missing_is_said_in_one_line(name: str) -> None:
    def said(*arguments: str) -> str:
        command = [sys.executable, "-m", f"examples.{name}", *arguments]
        done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1
        return done.stderr

    assert re.fullmatch(rf"usage: python -m examples\.{name} [A-Z].*\n", said())
    if name in SERVED:
        url = f"http://127.0.0.1:{free_port()}"
        assert re.fullmatch(rf"no server at {url}: start `(octopus serve|make dev)`\n", said(url, "?"))


@pytest.mark.filterwarnings("ignore:.* is in beta")
def test_the_octopus_in_langchains_model_router() -> None:
    if find_spec("langchain_core.decisions") is None:
        with pytest.raises(ModelUnavailableError, match="has no model router"):
            import_module("examples.model_router")
        return
    from langchain.agents import create_agent
    from langchain_core.messages import HumanMessage

    from examples import model_router

    assert model_router.main("Prove that there are infinitely many primes.").choice == "reasoner"
    with serving_chat(ChatServer(words=["Hi."])) as small, serving_chat(ChatServer(words=["Def."])) as coder:
        models = {
            "small": mcp_tool.chat_model(f"openai:s@{small.url}"),
            "coder": mcp_tool.chat_model(f"openai:c@{coder.url}"),
        }
        agent: Any = create_agent(models["small"], middleware=[model_router.router(models)])
        for question, answer in (("Hello there!", "Hi."), ("Write a Python function that sorts.", "Def.")):
            done = agent.invoke({"messages": [HumanMessage(question)]})
            assert done["messages"][-1].text == answer
            assert sum(done["model_route"].probabilities.values()) <= 1.0
