"""`octopus ask` and `octopus chat`: one question, or a conversation that is remembered."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.answering import Approve, Experts, Policy, Reflection, context_of
from app.commands.options import Artifact, Graph

if TYPE_CHECKING:
    from graphs.state import GraphContext

Chosen = tuple[str, Path | None]  # a graph and, where not its own, the artifact of its Octopus
Thread = Annotated[str | None, typer.Option("--thread", "-t", help="Id of the conversation to go on with.")]


def ask(
    question: Annotated[str, typer.Argument(help="What to ask; - reads standard input.")],
    graph: Graph = "mmlu",
    artifact: Artifact = None,
    thread: Thread = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    approve: Approve = False,
    reflection: Reflection = None,
    policy: Policy = None,
    experts: Experts = None,
) -> None:
    """Ask one question and see how it went through the graph."""
    if question == "-":
        question = _standard_input()
    context = context_of(approve=approve, reflection=reflection, policy=policy, experts=experts)
    unavailable = asyncio.run(_ask(question, (graph, artifact), thread, as_json, context))
    if unavailable:
        raise typer.Exit(3)


def chat(
    graph: Graph = "mmlu",
    artifact: Artifact = None,
    thread: Thread = "chat",
    approve: Approve = False,
    reflection: Reflection = None,
    policy: Policy = None,
    experts: Experts = None,
) -> None:
    """Talk; the thread is kept, so that tomorrow goes on where today ended."""
    context = context_of(approve=approve, reflection=reflection, policy=policy, experts=experts)
    asyncio.run(_chat((graph, artifact), thread or "chat", context))


async def _ask(
    question: str, graph: Chosen, thread: str | None, as_json: bool, context: GraphContext | None
) -> bool:
    from app.commands.terminal import Trace
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


async def _chat(graph: Chosen, thread: str, context: GraphContext | None) -> None:
    from app.commands.terminal import Trace, say
    from app.persistence.errors import PersistenceError

    async with AsyncExitStack() as stack:
        running = await _open(stack, graph, True, context)
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


async def _open(stack: AsyncExitStack, chosen: Chosen, remember: bool, context: GraphContext | None) -> Any:
    from app.commands.terminal import ask_person
    from app.runs.runner import open_graph
    from app.settings import Settings

    person = ask_person if context and context.approve else None
    graph, artifact = chosen
    return await stack.enter_async_context(
        open_graph(
            graph, Settings.read(), remember=remember, context=context, person=person, artifact=artifact
        )
    )


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
