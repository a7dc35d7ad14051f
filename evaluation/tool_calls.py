"""Measure that no call of a model is lost: part of `octopus eval tools`.

Rows of the Berkeley Function Calling Leaderboard are asked of a worker whose model has their functions as
tools. The model is scripted: over HTTP, it makes the calls of a row's `ground_truth`, and then repeats the
results that it was told. What the functions were called with, and the order of the results, is compared.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jsonschema import Draft202012Validator

from agents.errors import InputError
from agents.types import Choice, FunctionalToken, Limits, NodeName, WorkerRequest
from agents.workers.kinds import connect
from agents.workers.models.reference import Connection
from agents.workers.toolbox import Toolbox
from evaluation.people import serving_app
from evaluation.report import Report, plain, tabulate
from evaluation.routing.tool_choice import query_of
from graphs.blocking import run
from training.rows.labelled_rows import read_json_lines

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool
    from starlette.requests import Request
    from starlette.responses import Response

    from tools.declaration import ToolFunction

Way = Literal["parsed", "written"]
"""How the server gives a call: parsed, in fragments of a stream, or in the model's text."""

_WAYS: tuple[Way, ...] = ("parsed", "written")
Row = Mapping[str, Any]
Call = tuple[str, dict[str, Any]]
_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}
_PIECE = 7  # characters of a fragment


@dataclass
class Kept:
    """Count what came through.

    Attributes:
        rows: how many were asked.
        calls: how many calls they make.
        made: calls that reached their function with exactly their arguments, less any others that did.
        refused: calls that were answered with an error, since they contradict their own function's schema.
        in_order: rows whose results came back in the order of the calls.
        answered: rows whose answer holds every result.
    """

    rows: int = 0
    calls: int = 0
    made: int = 0
    refused: int = 0
    in_order: int = 0
    answered: int = 0

    def count(self, row: Row, made: Sequence[Call], results: Sequence[str], text: str) -> None:
        """Count one row: the calls that were made, and the results and the answer that came back."""
        wanted, left = calls_of(row), list(made)
        schemas = {one["name"]: _json_schema(one["parameters"]) for one in row["function"]}
        sound = [Draft202012Validator(schemas[name]).is_valid(given) for name, given in wanted]
        both = list(zip(wanted, sound, strict=True))
        expected = [result_of(call) if is_sound else "Error: " for call, is_sound in both]
        for call in [call for call, is_sound in both if is_sound]:
            if call in left:
                left.remove(call)
                self.made += 1
        self.made -= len(left)
        self.refused += sum(told.startswith("Error: ") for told in results)
        self.rows += 1
        self.calls += len(wanted)
        came = len(results) == len(expected)
        self.in_order += came and all(map(str.startswith, results, expected))
        self.answered += all(one in text for one in expected)


def evaluate_calls(rows: Mapping[str, Sequence[Row]]) -> Report:
    """Ask all rows, by kind, in both ways.

    Raises:
        InputError: a row has no readable functions or calls.
    """
    found = run(_all(rows))
    columns: dict[str, Callable[[Kept], str]] = {
        "rows": lambda one: f"{one.rows}",
        "calls": lambda one: f"{one.calls}",
        "made": lambda one: f"{one.made}",
        "refused by their own schema": lambda one: f"{one.refused}",
        "rows in order": lambda one: f"{one.in_order}",
        "rows answered with every result": lambda one: f"{one.answered}",
    }
    figures = {name: plain(one) for name, one in found.items()}
    if not found:
        return Report("calls", "", {})
    return Report("calls", tabulate("calls of a scripted model", found, columns), figures)


def rows_in(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows below `data` that have calls with values, by kind; none if there are no such files."""
    paths = sorted((data / "bfcl").glob("exec_*.jsonl*"))
    return {path.name.partition(".")[0]: [row for _, row in read_json_lines(path)] for path in paths}


def calls_of(row: Row) -> list[Call]:
    """Read the calls of a row, written as in Python: `["add(first=1, second=2)"]`.

    Raises:
        InputError: one is not.
    """
    try:
        return [_call_of(ast.parse(text, mode="eval").body) for text in row["ground_truth"]]
    except (KeyError, TypeError, ValueError, SyntaxError) as error:
        raise InputError(f"row {row.get('id')!r} has no readable `ground_truth`: {error!r}.") from error


def _call_of(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call) or node.args:
        raise ValueError("a call has named arguments only")
    given = {str(one.arg): ast.literal_eval(one.value) for one in node.keywords}
    return ast.unparse(node.func), json.loads(json.dumps(given))  # a model has lists for tuples


def tools_of(row: Row, made: list[Call]) -> list[BaseTool]:
    """Return a row's functions as tools that note their calls in `made` and return something of their own.

    Raises:
        InputError: they cannot be read.
    """
    from langchain_core.tools import StructuredTool

    def noting(name: str) -> Any:
        def call(**arguments: Any) -> str:
            made.append((name, arguments))
            return result_of((name, arguments))

        return call

    try:
        return [
            StructuredTool(
                name=one["name"],
                description=one["description"],
                args_schema=_json_schema(one["parameters"]),
                func=noting(one["name"]),
            )
            for one in row["function"]
        ]
    except (KeyError, TypeError) as error:
        raise InputError(f"row {row.get('id')!r} has no readable `function`: {error!r}.") from error


def result_of(call: Call) -> str:
    """Return what a function gives for a call: the call itself, so that no two results are alike."""
    return f"<{call[0]} {json.dumps(call[1], sort_keys=True)}>"


def _json_schema(value: Any) -> Any:
    """Return a schema of the leaderboard, whose types are Python's, as JSON Schema."""
    if isinstance(value, list):
        return [_json_schema(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _TYPES.get(own, own) if name == "type" and isinstance(own, str) else _json_schema(own)
        for name, own in value.items()
    }


@dataclass
class ScriptedModel:
    """Make the given calls at the first request of a question; then tell the results.

    Attributes:
        way: how calls are given.
        calls: the next ones.
        results: those that it was told last, in order.
    """

    way: Way
    calls: Sequence[Call] = ()
    results: list[str] = field(default_factory=list)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve the model; yield the reference by which it is connected."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        app = Starlette(routes=[Route("/v1/chat/completions", self._complete, methods=["POST"])])
        with serving_app(app, lifespan="off") as url:
            yield f"openai:scripted@{url}/v1"

    async def _complete(self, request: Request) -> Response:
        from starlette.responses import Response

        body = await request.json()
        results = [one["content"] for one in body["messages"] if one["role"] == "tool"]
        names = [tool["function"]["name"] for tool in body.get("tools", ())]
        deltas = [{"content": " ".join(results)}] if results else list(self._deltas(names))
        self.results = results
        choices: list[dict[str, Any]] = [
            {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
        ]
        choices.append({"index": 0, "delta": {}, "finish_reason": "stop" if results else "tool_calls"})
        head = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
        lines = [*(json.dumps(head | {"choices": [one]}) for one in choices), "[DONE]"]
        return Response("".join(f"data: {line}\n\n" for line in lines), media_type="text/event-stream")

    def _deltas(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for place, (name, arguments) in enumerate(self.calls):
            # As it was told: servers take no dots in names.
            called, given = next(one for one in names if one == name.replace(".", "_")), json.dumps(arguments)
            if self.way == "written":
                text = f'<tool_call>\n{{"name": "{called}", "arguments": {given}}}\n</tool_call>\n'
                yield from ({"content": text[at : at + _PIECE]} for at in range(0, len(text), _PIECE))
                continue
            begun: dict[str, Any] = {"name": called, "arguments": ""}
            yield {"tool_calls": [{"index": place, "id": f"call{place}", "function": begun}]}
            for at in range(0, len(given), _PIECE):
                yield {"tool_calls": [{"index": place, "function": {"arguments": given[at : at + _PIECE]}}]}


async def _all(rows: Mapping[str, Sequence[Row]]) -> dict[str, Kept]:
    return {f"{kind}, {way}": await _ask_all(own, way) for kind, own in rows.items() for way in _WAYS}


async def _ask_all(rows: Sequence[Row], way: Way) -> Kept:
    from tools.sandbox import Sandbox

    kept, model = Kept(), ScriptedModel(way)
    with model.serving() as reference, Sandbox() as sandbox:
        for row in rows:
            made: list[Call] = []
            tools = Toolbox((), sandbox, _Unranked)
            tools.add((), tools_of(row, made), Path())
            model.calls = calls_of(row)
            worker = connect(reference, Connection("desk", tools=tools))
            limits = Limits(calls=len(model.calls) + 1)
            answer = await worker.answer(WorkerRequest(query_of(row), limits=limits))
            kept.count(row, made, model.results, answer.text)
    return kept


class _Unranked:
    """Leave functions in their order."""

    def __init__(self, functions: Sequence[ToolFunction]) -> None:
        self._names = [one.name for one in functions]

    def rank(self, query: str) -> list[Choice]:
        """Return them all alike."""
        return [Choice(FunctionalToken(""), NodeName(name), 1 / len(self._names)) for name in self._names]

    def fit(self, query: str) -> float:
        """Return 1: one of them fits."""
        return 1.0
