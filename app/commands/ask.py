"""`octopus ask` and `octopus chat`: one question, or a conversation that is remembered."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import Artifact, Graph

if TYPE_CHECKING:
    from graphs.state import GraphContext

Reflection = Annotated[
    str | None,
    typer.Option(
        help="How drafts are reflected on: none, basic, reflexion, lats or auto; by default as in the spec."
    ),
]
Chosen = tuple[str, Path | None]  # a graph and, where not its own, the artifact of its Octopus
Thread = Annotated[str | None, typer.Option("--thread", "-t", help="Id of the conversation to go on with.")]


def ask(
    question: Annotated[str, typer.Argument(help="What to ask; - reads standard input.")],
    graph: Graph = "mmlu",
    artifact: Artifact = None,
    thread: Thread = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    approve: Annotated[
        bool, typer.Option("--approve", help="Ask before every step: y, n or another node.")
    ] = False,
    reflection: Reflection = None,
) -> None:
    """Ask one question and see how it went through the graph."""
    if question == "-":
        question = _standard_input()
    unavailable = asyncio.run(
        _ask(question, (graph, artifact), thread, as_json, _context(reflection, approve))
    )
    if unavailable:
        raise typer.Exit(3)


def chat(graph: Graph = "mmlu", artifact: Artifact = None, thread: Thread = "chat") -> None:
    """Talk; the thread is kept, so that tomorrow goes on where today ended."""
    asyncio.run(_chat((graph, artifact), thread or "chat"))


async def _ask(
    question: str, graph: Chosen, thread: str | None, as_json: bool, context: GraphContext | None
) -> bool:
    from app.terminal import Trace
    from graphs.branches import outcomes

    async with AsyncExitStack() as stack:
        running = await _open(stack, graph, thread is not None, context)
        if as_json:
            values = await running.invoke(question, thread)
            hops, message = values["hops"], values["messages"][-1]
            ended = message.additional_kwargs.get("ended", [])
            found = {"answer": str(message.text), "thread": thread, "hops": hops, "ended": ended}
            print(json.dumps(found, ensure_ascii=False))  # noqa: T201
        else:
            hops = await Trace().show(running.stream(question, thread))
        return any(hop["status"] == "unavailable" for hop in outcomes(hops))


async def _chat(graph: Chosen, thread: str) -> None:
    from app.persistence.errors import PersistenceError
    from app.terminal import Trace, say

    async with AsyncExitStack() as stack:
        running = await _open(stack, graph, True)
        before = await running.messages(thread)
        say(f"Thread {thread!r} of graph {graph[0]!r}, {len(before)} messages so far. An empty line ends it.")
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


async def _open(
    stack: AsyncExitStack, chosen: Chosen, remember: bool, context: GraphContext | None = None
) -> Any:
    from app.running import open_graph
    from app.settings import Settings
    from app.terminal import ask_person

    person = ask_person if context and context.approve else None
    graph, artifact = chosen
    return await stack.enter_async_context(
        open_graph(
            graph, Settings.read(), remember=remember, context=context, person=person, artifact=artifact
        )
    )


def _context(reflection: str | None, approve: bool) -> GraphContext | None:
    """What the options ask of this run.

    Raises:
        InputError: there is no such mode of reflection.
    """
    if reflection is None and not approve:
        return None
    from typing import get_args

    from agents.errors import InputError
    from agents.reflection.types import Mode
    from graphs.state import GraphContext

    if reflection is not None and reflection not in get_args(Mode):
        raise InputError(
            f"there is no mode of reflection {reflection!r}.",
            hint=f"Choose one of: {', '.join(get_args(Mode))}.",
        )
    asked = {"reflection": reflection, "approve": approve, "ask_user": approve}
    return GraphContext.model_validate(asked)


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
