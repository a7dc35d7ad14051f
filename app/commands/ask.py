"""`octopus ask` and `octopus chat`: one question, or a conversation that is remembered."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Annotated, Any

import typer

from app.commands.options import Graph

Thread = Annotated[str | None, typer.Option("--thread", "-t", help="Id of the conversation to go on with.")]


def ask(
    question: Annotated[str, typer.Argument(help="What to ask; - reads standard input.")],
    graph: Graph = "mmlu",
    thread: Thread = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    approve: Annotated[
        bool, typer.Option("--approve", help="Ask before every step: y, n or another node.")
    ] = False,
) -> None:
    """Ask one question and see how it went through the graph."""
    if question == "-":
        question = _standard_input()
    unavailable = asyncio.run(_ask(question, graph, thread, as_json, approve))
    if unavailable:
        raise typer.Exit(3)


def chat(graph: Graph = "mmlu", thread: Thread = "chat") -> None:
    """Talk; the thread is kept, so that tomorrow goes on where today ended."""
    asyncio.run(_chat(graph, thread or "chat"))


async def _ask(question: str, graph: str, thread: str | None, as_json: bool, approve: bool) -> bool:
    from app.terminal import Trace
    from graphs.branches import outcomes

    async with AsyncExitStack() as stack:
        running = await _open(stack, graph, thread is not None, approve)
        if as_json:
            values = await running.invoke(question, thread)
            hops, message = values["hops"], values["messages"][-1]
            ended = message.additional_kwargs.get("ended", [])
            found = {"answer": str(message.text), "thread": thread, "hops": hops, "ended": ended}
            print(json.dumps(found, ensure_ascii=False))  # noqa: T201
        else:
            hops = await Trace().show(running.stream(question, thread))
        return any(hop["status"] == "unavailable" for hop in outcomes(hops))


async def _chat(graph: str, thread: str) -> None:
    from app.persistence.errors import PersistenceError
    from app.terminal import Trace, say

    async with AsyncExitStack() as stack:
        running = await _open(stack, graph, True)
        before = await running.messages(thread)
        say(f"Thread {thread!r} of graph {graph!r}, {len(before)} messages so far. An empty line ends it.")
        for message in before[-4:]:
            say(f"  {'you' if message.type == 'human' else message.name or 'octopus'}: {message.text}")
        question = await running.interrupted(thread)
        if question is not None:
            say("Its last question was interrupted; going on with it.")
        while question := question or await asyncio.to_thread(_prompt):
            try:
                await Trace().show(running.stream(question, thread))
            except (ValueError, PersistenceError) as error:
                say(str(error))
            question = None


async def _open(stack: AsyncExitStack, graph: str, remember: bool, approve: bool = False) -> Any:
    from app.running import open_graph
    from app.settings import Settings
    from app.terminal import ask_person
    from graphs.state import GraphContext

    asking: dict[str, Any] = {}
    if approve:
        asking = {"context": GraphContext(approve=True, ask_user=True), "person": ask_person}
    return await stack.enter_async_context(open_graph(graph, Settings.read(), remember=remember, **asking))


def _prompt() -> str:
    try:
        return input("> ").strip()
    except (EOFError, KeyboardInterrupt):
        return ""


def _standard_input() -> str:
    from agents.errors import InputError

    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"standard input is not UTF-8 at byte {error.start}.", hint="Send UTF-8 text."
        ) from error
