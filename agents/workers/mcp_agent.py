"""Answer with the tools of an MCP server: one functional token per tool, as in a tool agent.

Arguments are read from the question, as for our own tools. What cannot be read is asked of a model, if one is
connected, and checked against the tool's schema.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agents.errors import SpecError
from agents.redaction import bare_urls
from agents.types import Worker, WorkerAnswer, WorkerRequest
from agents.workers.models.failures import Fault, ModelFaultError, fault, fault_of
from agents.workers.models.reference import Connection, FunctionChooser, ModelReference, Warmable
from agents.workers.remote_graph import bounded
from agents.workers.tool_agent import computed, no_call, refused
from tools import types
from tools.declaration import Cue, Parameter, ToolFunction
from tools.reading import UnreadError, read_arguments

if TYPE_CHECKING:
    import httpx
    from langchain_core.tools import BaseTool

_TRIES = 3  # of the ranked tools
_FLOOR = 0.05  # probability below which a tool is not tried
_WHOLE = frozenset({"query", "question", "text", "input", "prompt", "q", "message"})
_TYPES: Mapping[str, Any] = {"number": types.Number, "integer": types.Integer, "string": types.Text}
_ASK = (
    "A tool is to be called for a question.\nTool: {name}. {description}\n"
    "JSON schema of its arguments: {schema}\nQuestion: {question}\n"
    "Reply with one JSON object, the arguments, and nothing else. Take values from the question only; if one "
    "that is required is not there, reply null."
)


@dataclass(frozen=True)
class McpReference(ModelReference):
    """Name an MCP server with the streamable HTTP transport."""

    kind = "mcp"
    form = "mcp:URL"
    pattern = re.compile(r"(?P<url>https?://\S+)")
    text_only = True

    def connect(self, given: Connection) -> Worker:
        """Build the worker; the general model, unless it is an MCP server too, fills in arguments.

        Raises:
            SpecError: nothing is given that ranks the tools.
        """
        if given.make_chooser is None:
            raise SpecError(f"the tools at {self} need a chooser.", hint="Give the connection one.")
        general = given.general
        if general is None or isinstance(general, McpReference):
            return McpAgent(given.name, self, given.make_chooser)
        silent = Connection(given.name, silent=True, folder=given.folder, manager=given.manager)
        return McpAgent(given.name, self, given.make_chooser, general.connect(silent))


@dataclass
class McpAgent:
    """Call the tool that fits.

    Attributes:
        node: the worker's name, for messages.
        reference: the server's URL.
        make_chooser: builds what ranks its tools, once they are known.
        model: fills in arguments that cannot be read from the question.
        timeout: seconds for the list of tools, and for one call.
    """

    node: str
    reference: ModelReference
    make_chooser: Callable[[Sequence[ToolFunction]], FunctionChooser]
    model: Worker | None = None
    timeout: float = 60.0
    _known: tuple[Mapping[str, BaseTool], Mapping[str, ToolFunction], FunctionChooser] | None = field(
        default=None, init=False
    )

    def warm(self) -> None:
        """Begin to load the model that fills in arguments."""
        if isinstance(self.model, Warmable):
            self.model.warm()

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer with the result of a tool; `unavailable` when the server cannot be reached."""
        question = next(iter(request.readings or ()), request.query)
        try:
            tools, functions, chooser = await self._connected()
        except ModuleNotFoundError as error:
            why = f"needs the package {error.name!r}, which is not installed"
            return self._unavailable(fault("no_model", why, hint="pip install -e '.[mcp]'"), request)
        except Exception as error:  # the client raises groups of its own
            return self._unavailable(fault_of(error), request)
        unread: dict[str, str] = {}
        for choice in (await asyncio.to_thread(chooser.rank, question))[:_TRIES]:
            if choice.probability < _FLOOR:
                break
            function = functions[choice.node]
            try:
                arguments = await self._arguments(question, function, tools[choice.node])
            except UnreadError as error:
                unread[function.name] = str(error)
                continue
            return await self._call(tools[choice.node], arguments, request)
        return no_call("tool", unread)

    async def _connected(
        self,
    ) -> tuple[Mapping[str, BaseTool], Mapping[str, ToolFunction], FunctionChooser]:
        if self._known is None:
            tools = {tool.name: tool for tool in await tools_of(self.reference.url, self.timeout)}
            functions = {name: function_of(tool) for name, tool in tools.items()}
            self._known = tools, functions, self.make_chooser(list(functions.values()))
        return self._known

    async def _arguments(self, question: str, function: ToolFunction, tool: BaseTool) -> dict[str, Any]:
        """Read the arguments from the question where that takes no guessing, else ask the model.

        Raises:
            UnreadError: neither can.
        """
        required = [one for one in function.parameters if one.required]
        if len(required) == 1 and required[0].name in _WHOLE and required[0].type is types.Text:
            return {required[0].name: question}
        try:
            if all(one.type is not None for one in required):
                readable = tuple(one for one in function.parameters if one.type is not None)
                return read_arguments(question, replace(function, parameters=readable))
            raise UnreadError("its arguments are not plain values.")
        except UnreadError:
            if self.model is None:
                raise
        return await self._asked(question, tool)

    async def _asked(self, question: str, tool: BaseTool) -> dict[str, Any]:
        assert self.model is not None
        schema = _schema(tool)
        query = _ASK.format(
            name=tool.name, description=tool.description, schema=json.dumps(schema), question=question
        )
        reply = await self.model.answer(WorkerRequest(query))
        if reply.status != "answered":
            raise UnreadError(f"its arguments could not be asked for: {reply.text}")
        found = re.search(r"\{.*\}", reply.text, re.DOTALL)
        try:
            arguments = json.loads(found[0]) if found else None
        except json.JSONDecodeError:
            arguments = None
        if not isinstance(arguments, dict):
            raise UnreadError("the question does not give all of its arguments.")
        known, needed = schema.get("properties", {}), schema.get("required", [])
        if wrong := [*(arguments.keys() - known.keys()), *(set(needed) - arguments.keys())]:
            raise UnreadError(f"its argument {min(wrong)!r} is unknown or missing.")
        return arguments

    async def _call(
        self, tool: BaseTool, arguments: Mapping[str, Any], request: WorkerRequest
    ) -> WorkerAnswer:
        from langchain_core.tools import ToolException
        from pydantic import ValidationError

        try:
            async with asyncio.timeout(self.timeout):
                return computed(tool.name, arguments, shown(await tool.ainvoke(dict(arguments))))
        except (ToolException, ValidationError) as error:
            return refused(tool.name, arguments, error)
        except Exception as error:  # as above
            return self._unavailable(fault_of(error), request)

    def _unavailable(self, why: Fault, request: WorkerRequest) -> WorkerAnswer:
        why.log(request.idempotency_key, self.reference)
        unknown = why.failure["code"] in ("unreachable", "not_found", "broken_reply", "server_error")
        hint = "Is it running, with the streamable HTTP transport?" if unknown else why.hint
        text = f"{self.node} was chosen, but its MCP server {why.why}. {hint}"
        return WorkerAnswer("unavailable", text, failure=why.failure)


async def tools_of(url: str, timeout: float) -> list[BaseTool]:
    """Return the tools of the MCP server at `url`; a call of one opens a session of its own.

    Raises:
        ModuleNotFoundError: the extra `mcp` is not installed.
        Exception: the server gave none.
    """
    from langchain_mcp_adapters.client import MultiServerMCPClient

    server: Any = {"transport": "streamable_http", "url": url, "timeout": timeout}
    server["httpx_client_factory"] = _bounded_client
    client = MultiServerMCPClient({"server": server}, handle_tool_errors=False)
    async with asyncio.timeout(timeout):
        tools = await client.get_tools()
    if not tools:
        raise ModelFaultError(fault("broken_reply", "has no tools"))
    return tools


def _bounded_client(headers: Any = None, timeout: Any = None, auth: Any = None) -> httpx.AsyncClient:
    """Return the client of a session, which reads no more than is sensible."""
    from mcp.shared._httpx_utils import create_mcp_http_client  # the default of both libraries

    client = create_mcp_http_client(headers, timeout, auth)
    client.headers["Accept-Encoding"] = "identity"
    client.event_hooks = {"response": [bounded]}
    return client


def function_of(tool: BaseTool) -> ToolFunction:
    """Describe a tool as the chooser and the reader of arguments know functions."""
    schema = _schema(tool)
    needed = set(schema.get("required", []))
    parameters = tuple(
        Parameter(name, _type(part), Cue(before=(name.replace("_", " "),)), name in needed)
        for name, part in schema.get("properties", {}).items()
    )
    words = tuple(re.findall(r"[a-z]+", f"{tool.name} {tool.description}".lower()))
    signature = f"{tool.name}({', '.join(one.name for one in parameters)})"
    return ToolFunction(
        name=tool.name,
        description=tool.description or tool.name,
        signature=signature,
        examples=(),
        asks=(),
        words=words,
        refuses=(),
        in_order=True,
        parameters=parameters,
        libraries=(),
        call=tool.ainvoke,
    )


def _schema(tool: BaseTool) -> dict[str, Any]:
    schema: Any = tool.args_schema
    return schema if isinstance(schema, dict) else tool.get_input_jsonschema()


def _type(part: Mapping[str, Any]) -> Any:
    """Return the type of ours that reads such a value; None if there is none."""
    items = part.get("items", {})
    if part.get("type") == "array" and isinstance(items, dict):
        return {"number": types.Numbers, "integer": types.Integers}.get(str(items.get("type")))
    return None if "enum" in part else _TYPES.get(str(part.get("type")))


def shown(value: Any) -> str:
    """Turn a result into text; MCP gives content blocks."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return "\n".join(str(one.get("text", one)) for one in value)
    return json.dumps(value, ensure_ascii=False, default=str)


def innermost(error: BaseException) -> str:
    """Describe the innermost cause of nested exception groups, without keys in URLs."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{bare_urls(str(error)) or 'nothing in time'} ({type(error).__name__})"
