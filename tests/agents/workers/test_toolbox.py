"""Tools that a spec or a program gives to a worker's model: LangChain's, functions, and MCP servers'."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import InjectedState
from pydantic import BaseModel, SecretStr

from agents.errors import SpecError
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.zero_shot import ZeroShotHead
from agents.types import WorkerRequest
from agents.workers.tool_agent import EncoderChooser
from agents.workers.toolbox import Toolbox, as_tools, tools_named
from app import Octopus
from evaluation.people import serving_app
from graphs.spec_file import parse_spec
from graphs.state import GraphContext
from tests.loopback import ChatServer, free_port
from tests.replies import Reply
from tools.declaration import ToolFunction
from tools.registry import functions
from tools.sandbox import Sandbox

SPEC = """
name: desk
masters: {{octopus: {{neighbours: [desk]}}}}
workers:
  desk: {{description: "Helps customers of a shop.", model: "openai:tiny@{url}", tools: {tools}}}
"""
MODULE = '''
from langchain_core.tools import tool


def stock(item: str) -> int:
    """Count the pieces of an item.

    Args:
        item: its name.
    """
    return len(item)


async def price(item: str, pieces: int = 1) -> float:
    """Say what an item costs."""
    return 2.5 * pieces


@tool
def order(item: str) -> str:
    """Order an item."""
    return f"ordered {item}"


class Shelf:
    tools = [stock, order]


number = 3


def untold(item: str) -> int:
    return 1


def untyped(item) -> int:
    """Count."""
    return 1
'''


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with a module of tools beside the spec; its name is this test's alone."""
    (tmp_path / f"{_module(request)}.py").write_text(MODULE)
    return tmp_path


def _module(request: pytest.FixtureRequest) -> str:
    return "shop_" + "".join(c if c.isalnum() else "_" for c in request.node.name)


def load(folder: Path, server: ChatServer, named: Sequence[str], **given: Any) -> Octopus:
    path = folder / "desk.yaml"
    path.write_text(SPEC.format(url=server.url, tools=list(named)))
    return Octopus.load(path, **given)


def test_tools_that_a_spec_names(folder: Path, server: ChatServer, request: pytest.FixtureRequest) -> None:
    module = _module(request)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("stock", {"item": "lamp"}),
        ("price", {"item": "lamp", "pieces": 2}),
        ("order", {"item": "x"}),
    ]
    server.replies = [Reply(calls=calls), Reply("Four lamps.")]
    with load(folder, server, [f"python:{module}:Shelf.tools", f"python:{module}:price"]) as octopus:
        answered = octopus.ask("How many lamps are there?")
    assert answered.text == "Four lamps."
    steps = answered.hops[-1]["evidence"]["steps"]
    assert [one["result"] for one in steps] == ["4", "5.0", "ordered x"]
    assert answered.tokens == 7 + 9


def test_tools_that_a_program_gives(tmp_path: Path, server: ChatServer) -> None:
    @tool
    def hours(day: str) -> str:
        """Say when the shop is open."""
        return f"{day}: 9 to 5"

    server.replies = [Reply(calls=[("hours", {"day": "Monday"})]), Reply("From nine to five.")]
    with load(tmp_path, server, [], tools={"desk": [hours]}) as octopus:
        pieces = [event.text for event in octopus.stream("When are you open?") if hasattr(event, "text")]
    assert "".join(pieces[:-1]).strip() == "From nine to five."

    model = ChatOpenAI(model="tiny", base_url=server.url, api_key=SecretStr("none"))
    server.replies = [Reply(calls=[("hours", {"day": "Monday"})]), Reply("From nine to five.")]
    with Octopus.of(desk=("Helps customers of a shop.", model), tools={"desk": [hours]}) as octopus:
        answered = octopus.ask("When are you open?")
    assert answered.text == "From nine to five."
    assert answered.hops[-1]["evidence"]["steps"][0]["result"] == "Monday: 9 to 5"


def test_a_model_that_takes_no_tools_is_asked_without_them() -> None:
    def hours(day: str) -> str:
        """Say when the shop is open."""
        return day

    model = FakeListChatModel(responses=["Always."])
    with Octopus.of(desk=("Helps customers of a shop.", model), tools={"desk": [hours]}) as octopus:
        answered = octopus.ask("When are you open?")
    assert answered.text == "Always."
    assert answered.hops[-1]["evidence"]["tools"]["offered"] == []


@pytest.mark.parametrize(
    ("question", "offered"),
    [
        ("How many ways can three people sit on five chairs?", "number_theory.combinations"),
        ("If I invest half of my 3000 euros, how much is left overall?", "arithmetic.percent_of"),
        ("Write a poem about the sea.", ""),
        ("Recommend a good novel.", ""),
    ],
)
async def test_functions_of_ours_are_offered_where_one_may_fit(
    encoder: Encoder, question: str, offered: str
) -> None:
    def chooser(found: Sequence[ToolFunction]) -> EncoderChooser:
        return EncoderChooser(found, encoder, lambda said: ZeroShotHead.build(said, encoder.embed))

    shipped = functions("number_theory", "arithmetic", "statistics")
    with Sandbox() as sandbox:
        offer = await Toolbox(shipped, sandbox, chooser).offer(WorkerRequest(question), None)
    names = [tool.name for tool in offer.tools.values()]
    assert (offered in names) if offered else (names == [])
    assert len(names) <= 8


def test_the_budget_of_a_turn_is_the_contexts(tmp_path: Path, server: ChatServer) -> None:
    def hours(day: str) -> str:
        """Say when the shop is open."""
        return day

    server.replies = [Reply(calls=[("hours", {"day": str(n)}) for n in range(3)]), Reply("Enough.")]
    context = GraphContext(max_tool_calls=2)
    with load(tmp_path, server, [], tools={"desk": [hours]}, context=context) as octopus:
        steps = octopus.ask("When are you open?").hops[-1]["evidence"]["steps"]
    assert ["error" in one for one in steps] == [False, False, True]
    server.replies, before = [Reply("No idea.")], len(server.requests)
    context = GraphContext(max_tool_calls=0)
    with load(tmp_path, server, [], tools={"desk": [hours]}, context=context) as octopus:
        assert octopus.ask("When are you open?").text == "No idea."
    assert all("tools" not in body for _, body in server.requests[before:])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("python:{module}:nothing", "cannot be imported: module"),
        ("python:no_such_module_at_all:x", "cannot be imported: No module named"),
        ("python:{module}:number", "holds 'int', which is no tool"),
        ("python:{module}:untold", "lacks a docstring, which a model is told"),
        ("python:{module}:untyped", "lacks a type hint for 'item', which a model is told"),
    ],
)
def test_a_tool_that_cannot_be_used_is_refused_by_name(
    folder: Path, server: ChatServer, request: pytest.FixtureRequest, name: str, said: str
) -> None:
    with (
        pytest.raises(SpecError, match=r"desk\.yaml: worker 'desk': ") as raised,
        load(folder, server, [name.format(module=_module(request))]) as octopus,
    ):
        _ = octopus.assembly.workers
    assert said in str(raised.value)
    assert not server.requests


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("python:module", "'python:module' is not python:MODULE:ATTRIBUTE"),
        ("python:a b:c", "is not python:MODULE:ATTRIBUTE"),
        ("mcp:localhost/mcp", "Write mcp:URL"),
        ("http://key:secret@host/mcp", "is no tool: write mcp:URL"),
    ],
)
def test_a_reference_of_another_form_is_refused_with_its_line(name: str, said: str) -> None:
    with pytest.raises(SpecError, match=r"<spec>:5: workers\.desk\.tools") as raised:
        parse_spec(SPEC.format(url="http://127.0.0.1:1/v1", tools=[name]))
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)


def test_tools_without_a_model_that_calls_them_are_refused(tmp_path: Path) -> None:
    def hours(day: str) -> str:
        """Say when the shop is open."""
        return day

    path = tmp_path / "desk.yaml"
    spec = SPEC.format(url="x", tools=[])
    path.write_text(spec.replace("openai:tiny@x", "remote-graph:a@http://127.0.0.1:1"))
    with pytest.raises(SpecError, match="calls none"):
        _ = Octopus.load(path, tools={"desk": [hours]}).assembly.workers
    with pytest.raises(SpecError, match="tools are given for 'chef', which is no worker"):
        Octopus.load(path, tools={"chef": [hours]})
    with pytest.raises(SpecError, match="'desk' is no chat model"):
        _ = Octopus.of(desk=("Helps.", str.upper), tools={"desk": [hours]}).assembly.workers
    graph = SPEC.format(url="x", tools=["calculus"]).replace('model: "openai:tiny@x"', "graph: mmlu")
    with pytest.raises(SpecError, match="a worker that is a graph has no tools"):
        parse_spec(graph)


def test_tools_that_want_the_state_of_another_graph_are_refused() -> None:
    @tool
    def peek(state: Annotated[dict[str, Any], InjectedState]) -> str:
        """Look at the state."""
        return ""

    @tool
    def mark(item: str, call: Annotated[str, InjectedToolCallId]) -> str:
        """Mark an item."""
        return f"{item} {call}"

    with pytest.raises(SpecError, match="'peek' in here wants 'state'"):
        as_tools([peek], "here")
    assert as_tools([mark], "here") == [mark]
    with pytest.raises(SpecError, match="'mark' stands twice"):
        as_tools([mark, mark], "here")


async def test_functions_keep_their_types_whether_they_are_postponed_or_not(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    class Item(BaseModel):
        name: str
        pieces: int = 1

    def pack(items: list[Item], fragile: bool = False) -> str:
        """Pack items.

        Args:
            items: what is packed.
            fragile: whether it may break.
        """
        return f"{sum(one.pieces for one in items)} pieces{', fragile' if fragile else ''}"

    pack.__annotations__ = inspect.get_annotations(pack, eval_str=True, locals={"Item": Item})
    (packing,) = as_tools([pack], "here")
    (counting,) = tools_named(f"python:{_module(request)}:stock", folder)
    with Sandbox() as sandbox:
        box = Toolbox((), sandbox, lambda _: pytest.fail("nothing is to be ranked"))
        box.add((), [packing, counting], folder)
        offer = await box.offer(WorkerRequest("?"), None)
    given = offer.tools["pack"]
    assert given.parameters["properties"]["fragile"]["type"] == "boolean"
    assert await given.call({"items": [{"name": "cup", "pieces": 6}], "fragile": True}) == "6 pieces, fragile"
    assert offer.tools["stock"].parameters["properties"]["item"]["description"] == "its name."
    assert isinstance(packing, BaseTool)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
class TestMcp:
    """Tools of a real MCP server on loopback."""

    @pytest.fixture(scope="class")
    def url(self) -> Iterator[str]:
        from mcp.server.fastmcp import FastMCP

        shop = FastMCP("shop", stateless_http=True, json_response=True)

        @shop.tool()
        def order(item: str, count: int) -> str:
            """Order items from the catalogue of the shop."""
            if count > 10:
                raise ValueError("at most ten")
            return f"{count} x {item}"

        with serving_app(shop.streamable_http_app()) as root:
            yield f"{root}/mcp"

    def test_its_tools_are_called(self, url: str, tmp_path: Path, server: ChatServer) -> None:
        calls = [("order", {"item": "lamp", "count": 2}), ("order", {"item": "cup", "count": 11})]
        server.replies = [Reply(calls=[*calls, ("order", {"item": "cup"})]), Reply("Ordered.")]
        with load(tmp_path, server, [f"mcp:{url}"]) as octopus:
            answered = octopus.ask("Order two lamps and eleven cups.")
        assert answered.text == "Ordered."
        first, second, third = answered.hops[-1]["evidence"]["steps"]
        assert first["result"] == "2 x lamp"
        assert "at most ten" in second["error"]
        assert third["error"] == "'count' is a required property"
        assert not server.refused

    def test_a_server_that_is_not_there_is_said(
        self, tmp_path: Path, server: ChatServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.replies = [Reply("Without it.")]
        gone = f"mcp:http://user:secret@127.0.0.1:{free_port()}/mcp"
        with load(tmp_path, server, [gone]) as octopus:
            answered = octopus.ask("Order a lamp.")
        assert (answered.status, answered.text) == ("answered", "Without it.")
        note = answered.hops[-1]["evidence"]["tools"]["note"]
        assert "an MCP server are missing" in note
        assert "127.0.0.1" not in note
        assert "127.0.0.1" in caplog.text
        assert "secret" not in caplog.text
