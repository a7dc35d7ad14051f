"""The tools of a real MCP server on loopback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agents.octopus.embedding import Encoder
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.types import WorkerAnswer, WorkerRequest
from agents.workers.mcp_agent import McpAgent, McpReference
from agents.workers.tool_agent import EncoderChooser
from evaluation.people import serving_app
from tests.misbehaving import misbehaving
from tests.misbehaviours import KINDS
from tests.scripted import ScriptedWorker
from tools.declaration import ToolFunction

pytestmark = [
    pytest.mark.train,
    # Of the client and the server: streams that are closed by the garbage collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    from mcp.server.fastmcp import FastMCP

    server = FastMCP("shop", stateless_http=True, json_response=True)

    @server.tool()
    def add(first: int, second: int) -> int:
        """Add two whole numbers."""
        return first + second

    @server.tool()
    def search(query: str) -> str:
        """Search the handbook of the shop for opening hours, returns and deliveries."""
        return f"Found for {query}"

    @server.tool()
    def order(item: str, count: int) -> str:
        """Order items from the catalogue of the shop."""
        if count > 10:
            raise ValueError("at most ten")
        return f"{count} x {item}"

    with serving_app(server.streamable_http_app()) as root:
        yield f"{root}/mcp"


def agent(url: str, encoder: Encoder, model: ScriptedWorker | None = None) -> McpAgent:
    def build(candidates: Sequence[Candidate]) -> ZeroShotHead:
        return ZeroShotHead.build(candidates, encoder.embed)

    def chooser(functions: Sequence[ToolFunction]) -> EncoderChooser:
        return EncoderChooser(functions, encoder, build)

    return McpAgent("shop", McpReference(url=url), chooser, model, timeout=20)


async def test_typed_arguments_are_read_from_the_question(url: str, encoder: Encoder) -> None:
    answer = await agent(url, encoder).answer(WorkerRequest("add 17 and 25"))
    assert answer.status == "answered", answer
    assert answer.evidence == {
        "function": "add",
        "arguments": {"first": 17, "second": 25},
        "result": "42",
    }
    assert answer.text.startswith("42\nComputed with add(")


async def test_a_tool_that_takes_a_query_gets_the_question(url: str, encoder: Encoder) -> None:
    question = "What are the opening hours in the handbook?"
    answer = await agent(url, encoder).answer(WorkerRequest(f"Look up: {question}", readings=[question]))
    assert answer.evidence["function"] == "search"
    assert f"Found for {question}" in answer.text


async def test_a_model_fills_in_the_rest(url: str, encoder: Encoder) -> None:
    model = ScriptedWorker(
        [WorkerAnswer("answered", '```json\n{"item": "leeks", "count": 3}\n```')], requests=[]
    )
    answer = await agent(url, encoder, model).answer(WorkerRequest("Please order three leeks"))
    assert "3 x leeks" in answer.text
    assert '"required"' in model.requests[0].query


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("null", "does not give all"),
        ('{"item": "leeks"}', "'count' is unknown or missing"),
        ('{"item": "leeks", "count": 3, "colour": "red"}', "'colour' is unknown or missing"),
        ("{item: leeks}", "does not give all"),
    ],
)
async def test_arguments_that_do_not_fit_are_not_sent(
    url: str, encoder: Encoder, reply: str, why: str
) -> None:
    model = ScriptedWorker([WorkerAnswer("answered", reply)], requests=[])
    answer = await agent(url, encoder, model).answer(WorkerRequest("Please order three leeks"))
    assert answer.status in ("declined", "answered")
    assert "3 x leeks" not in answer.text
    assert answer.status == "answered" or why in answer.text


async def test_what_a_tool_refuses_is_told(url: str, encoder: Encoder) -> None:
    model = ScriptedWorker([WorkerAnswer("answered", '{"item": "leeks", "count": 30}')], requests=[])
    answer = await agent(url, encoder, model).answer(WorkerRequest("Please order thirty leeks"))
    assert answer.status == "declined"
    assert "at most ten" in answer.text


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("connection-refused", "unreachable"),
        ("403", "unauthorized"),
        ("404", "broken_reply"),  # to the client a session that ended
        ("500", "server_error"),
        ("503", "overloaded"),
        ("gzip-bomb", "broken_reply"),
        ("gigabyte", "timeout"),  # the client goes on waiting, but nothing more is read
        ("html", "timeout"),
        ("hang", "timeout"),
    ],
)
async def test_a_server_that_misbehaves_is_a_typed_reason(
    kind: str, code: str, encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The client's own message quotes the URL that it was refused at."""
    with misbehaving(tmp_path, KINDS) as server:
        keyed = server.url(kind).replace("//", "//user:s3cret@") + "?apiKey=s3cret"
        asked = agent(keyed, encoder)
        asked.timeout = 5.0
        answer = await asked.answer(WorkerRequest("add 1 and 2", idempotency_key="the turn"))
    assert (answer.status, answer.failure and answer.failure["code"]) == ("unavailable", code)
    assert answer.text.startswith("shop was chosen, but its MCP server ")
    assert "127.0.0.1" not in str(answer) and "s3cret" not in str(answer)
    assert "the turn" in caplog.text and "s3cret" not in caplog.text
