"""Hold what a worker's model may call: functions of ours, a program's own, and the tools of MCP servers."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.errors import SpecError
from agents.types import WorkerRequest
from agents.workers.mcp_agent import McpReference, function_of, innermost, shown, tools_of
from agents.workers.models.model_tool import CallError, ModelTool, Offer
from agents.workers.models.reference import CODE
from tools import types
from tools.declaration import Cue, ToolError, ToolFunction
from tools.reading import UnreadError, read_arguments

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from agents.workers.models.reference import FunctionChooser, ModelReference
    from tools.sandbox import Sandbox

_log = logging.getLogger("octopus.models")
MOST_OFFERED = 8
_FITS = 0.5  # probability that one of our functions fits, below which none is offered
_NEAR = 0.05  # of the best one's probability, below which another is not offered
_SHARE = 2  # of the room in the window that descriptions of tools may take: one part in so many
_CHARACTERS_PER_TOKEN = 3
_AS_WRITTEN = (types.Text, types.Variable, types.Digits)
_TIMEOUT = 10.0  # seconds for the list of an MCP server's tools


@dataclass
class Toolbox:
    """Offer a worker's tools to its model, those first that fit the question best.

    Attributes:
        shipped: functions of ours, which the deterministic reading has tried before.
        sandbox: where they run.
        make_chooser: builds what ranks all tools.
        given: tools of the program around the graph.
        servers: MCP servers whose tools are offered.
    """

    shipped: Sequence[ToolFunction]
    sandbox: Sandbox
    make_chooser: Callable[[Sequence[ToolFunction]], FunctionChooser]
    given: Sequence[BaseTool] = field(default=(), init=False)
    servers: Sequence[ModelReference] = field(default=(), init=False)
    _listed: dict[str, Sequence[BaseTool]] = field(default_factory=dict, init=False)
    _choosers: dict[tuple[str, ...], FunctionChooser] = field(default_factory=dict, init=False)

    def add(self, named: Sequence[str], things: Sequence[object], folder: Path) -> None:
        """Add the tools that a spec names, and those that a program gives.

        Args:
            named: `mcp:URL` and `python:MODULE:ATTRIBUTE`.
            things: LangChain tools, and functions.
            folder: of the spec.

        Raises:
            SpecError: a tool cannot be used.
        """
        found = [tool for one in named if one.startswith("python:") for tool in tools_named(one, folder)]
        self.given = as_tools([*found, *things], "its tools")
        self.servers = [McpReference(url=one.partition(":")[2]) for one in named if one.startswith("mcp:")]

    @property
    def own(self) -> bool:
        """Return whether there are tools that are not ours, and which only a model can call."""
        return bool(self.given or self.servers)

    async def offer(self, request: WorkerRequest, room: int | None) -> Offer:
        """Return the tools for a question; of ours those that may fit, and none where it asks for words.

        Args:
            request: what is asked.
            room: tokens that are left in the model's window; None where that is not known.
        """
        question = next(iter(request.readings or ()), request.query)
        words = request.readings is not None and not request.readings
        ours = [] if words else await asyncio.to_thread(self._near, question)
        listed, notes = await self._from_servers()
        tools = [*(_shipped(one, self.sandbox) for one in ours), *map(_given, self.given), *listed]
        ranked = await asyncio.to_thread(self._ranked, question, tools)
        return Offer.of(_fitting(ranked, room), " ".join(notes))

    async def _from_servers(self) -> tuple[list[ModelTool], list[str]]:
        """Return the tools of all servers, and why those of a server are missing."""
        found = await asyncio.gather(*map(self._list, self.servers))
        tools = [_given(tool) for one in found if not isinstance(one, str) for tool in one]
        return tools, [one for one in found if isinstance(one, str)]

    async def _list(self, server: ModelReference) -> Sequence[BaseTool] | str:
        if server.url not in self._listed:
            try:
                self._listed[server.url] = await tools_of(server.url, _TIMEOUT)
            except ModuleNotFoundError as error:
                return f"The package {error.name!r} is not installed (pip install -e '.[mcp]')."
            except Exception as error:  # the client raises groups of its own
                _log.warning("the MCP server at %s listed no tools: %s", server.shown, innermost(error))
                return "The tools of an MCP server are missing, since it gave no list; the log says why."
        return self._listed[server.url]

    def _near(self, question: str) -> list[ToolFunction]:
        """Return the functions of ours that may fit: each costs a model a hundred tokens to read."""
        chooser = self._chooser(self.shipped) if self.shipped else None
        if chooser is None or chooser.fit(question) < _FITS:
            return []
        ranked, by_name = chooser.rank(question)[:MOST_OFFERED], {one.name: one for one in self.shipped}
        near = [choice for choice in ranked if choice.probability >= _NEAR * ranked[0].probability]
        return [by_name[choice.node] for choice in near]

    def _ranked(self, question: str, tools: Sequence[ModelTool]) -> list[ModelTool]:
        """Return the tools, best first where there are more than are offered."""
        if len(tools) <= MOST_OFFERED:
            return list(tools)
        by_name: dict[str, ModelTool] = {}
        for tool in tools:  # two servers may have tools of one name
            by_name[tool.name if tool.name not in by_name else f"{tool.name} {len(by_name)}"] = tool
        chooser = self._chooser([replace(tool.function, name=name) for name, tool in by_name.items()])
        return [by_name[choice.node] for choice in chooser.rank(question)[:MOST_OFFERED]]

    def _chooser(self, functions: Sequence[ToolFunction]) -> FunctionChooser:
        names = tuple(one.name for one in functions)
        if names not in self._choosers:
            self._choosers[names] = self.make_chooser(functions)
        return self._choosers[names]


def _fitting(tools: Sequence[ModelTool], room: int | None) -> list[ModelTool]:
    """Return the first tools, as many as have room in the model's window."""
    left = (room or sys.maxsize) * _CHARACTERS_PER_TOKEN // _SHARE
    kept = []
    for tool in tools:
        left -= tool.length
        if left < 0:
            break
        kept.append(tool)
    return kept


def _shipped(function: ToolFunction, sandbox: Sandbox) -> ModelTool:
    return ModelTool(
        function.name, function.summary, function.json_schema, partial(_compute, function, sandbox), function
    )


async def _compute(function: ToolFunction, sandbox: Sandbox, arguments: Mapping[str, Any]) -> str:
    """Call a function of ours; what a model writes for a typed value is read as in a question.

    Raises:
        CallError: the function refuses.
    """
    meant = await asyncio.to_thread(_meant, function, arguments)
    try:
        return shown(await sandbox.call(function.name, meant))
    except ToolError as error:
        raise CallError(str(error)) from error


def _meant(function: ToolFunction, arguments: Mapping[str, Any]) -> dict[str, Any]:
    meant = dict(arguments)
    for one in function.parameters:
        if one.type is types.Now:
            meant[one.name] = datetime.now().astimezone().isoformat(timespec="minutes")
        elif isinstance(value := arguments.get(one.name), str) and one.type not in _AS_WRITTEN:
            alone = replace(one, required=True, cue=Cue())
            try:
                meant |= read_arguments(value, replace(function, parameters=(alone,), asks=(), refuses=()))
            except UnreadError:
                continue
    return meant


def _given(tool: BaseTool) -> ModelTool:
    from langchain_core.utils.function_calling import convert_to_openai_function

    told = convert_to_openai_function(tool)
    call: Callable[[Mapping[str, Any]], Awaitable[str]] = partial(_invoke, tool)
    return ModelTool(tool.name, tool.description, told.get("parameters", {}), call, function_of(tool))


async def _invoke(tool: BaseTool, arguments: Mapping[str, Any]) -> str:
    from langchain_core.messages import ToolMessage

    called = {"type": "tool_call", "name": tool.name, "args": dict(arguments), "id": "call"}
    result = await tool.ainvoke(called)
    if not isinstance(result, ToolMessage):
        raise CallError(f"it returned {type(result).__name__}, which is no result.")
    if result.status == "error":
        raise CallError(str(result.text))
    return shown(result.content)


def tools_named(name: str, folder: Path) -> list[BaseTool]:
    """Import the tools that `python:MODULE:ATTRIBUTE` names; modules beside the spec are found too.

    Raises:
        SpecError: there is no such module or attribute, or it is no tool.
    """
    found = CODE.fullmatch(name)
    if found is None:
        raise SpecError(f"the tool {name!r} is not understood.", hint="Write python:MODULE:ATTRIBUTE.")
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))  # last, so that nothing of ours is hidden
    try:
        thing: Any = importlib.import_module(found["module"])
        for part in found["name"].split("."):
            thing = getattr(thing, part)
    except Exception as error:  # a module of the user may raise anything
        raise SpecError(f"the tool {name!r} cannot be imported: {error} ({type(error).__name__}).") from error
    return as_tools(thing if isinstance(thing, list | tuple) else [thing], repr(name))


def as_tools(things: Iterable[object], where: str) -> list[BaseTool]:
    """Return LangChain tools: what is one already, and functions with type hints and a docstring.

    Args:
        things: tools and functions.
        where: for messages.

    Raises:
        SpecError: one is neither, lacks hints or a docstring, or two have one name.
    """
    found = [_as_tool(thing, where) for thing in things]
    names = [tool.name for tool in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SpecError(f"the tool {twice[0]!r} stands twice in {where}.")
    return found


def _as_tool(thing: object, where: str) -> BaseTool:
    from langchain_core.tools import BaseTool, StructuredTool

    if isinstance(thing, BaseTool):
        if hidden := _injected(thing):
            raise SpecError(f"the tool {thing.name!r} in {where} wants {hidden!r} from a graph of its own.")
        return thing
    if not callable(thing) or isinstance(thing, type):
        raise SpecError(
            f"{where} holds {_named(thing)}, which is no tool.", hint="Give a LangChain tool or a function."
        )
    bare = [
        name
        for name, one in inspect.signature(thing).parameters.items()
        if one.annotation is inspect.Parameter.empty or one.kind in (one.VAR_POSITIONAL, one.POSITIONAL_ONLY)
    ]
    if bare or not inspect.getdoc(thing):
        lacks = f"a type hint for {bare[0]!r}" if bare else "a docstring"
        raise SpecError(f"the function {_named(thing)} in {where} lacks {lacks}, which a model is told.")
    is_async = inspect.iscoroutinefunction(thing)
    try:
        return StructuredTool.from_function(
            None if is_async else thing, coroutine=thing if is_async else None, parse_docstring=True
        )
    except Exception as error:  # Pydantic may not know the user's types
        raise SpecError(f"the function {_named(thing)} in {where} is no tool: {error}") from error


def _injected(tool: BaseTool) -> str:
    """Return the argument that LangGraph would give the tool, such as its state; "" if there is none."""
    if isinstance(tool.args_schema, dict):
        return ""
    from langchain_core.tools import InjectedToolCallId

    fields: Mapping[str, Any] = getattr(tool.get_input_schema(), "model_fields", {})
    given = (name for name in fields if name not in tool.args)
    return next((name for name in given if InjectedToolCallId not in fields[name].metadata), "")


def _named(thing: object) -> str:
    return repr(getattr(thing, "__name__", None) or type(thing).__name__)
