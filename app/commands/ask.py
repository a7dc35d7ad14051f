"""`octopus ask` and `octopus chat`: one question, or a conversation that is remembered."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.answering import Approve, Experts, Policy, Reflection, context_of
from app.commands.options import Artifact, Graph

if TYPE_CHECKING:
    from app.octopus import Octopus
    from app.runs.events import Answered
    from app.runs.runner import Person
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
    from app.commands.terminal import Trace

    with _open((graph, artifact), context) as octopus:
        person = _person(context)
        if as_json:
            answered = octopus.ask(question, thread=thread, person=person)
            _show(answered, thread)
        else:
            answered = Trace().show(octopus.stream(question, thread=thread, person=person))
    if answered.status == "unavailable":
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
    from app.commands.terminal import Trace, say
    from app.persistence.errors import PersistenceError

    thread = thread or "chat"
    with _open((graph, artifact), context) as octopus:
        before = octopus.messages(thread)
        say(f"Thread {thread!r} of graph {graph!r}, {len(before)} messages so far. An empty line ends it.")
        for message in before[-4:]:
            say(f"  {'you' if message.type == 'human' else message.name or 'octopus'}: {message.text}")
        question = str(before[-1].text) if before and before[-1].type == "human" else ""
        if question:
            say("Its last question was interrupted; going on with it.")
        while question := question or _prompt():
            try:
                Trace().show(octopus.stream(question, thread=thread, person=_person(context)))
            except (ValueError, PersistenceError) as error:
                say(str(error))
            question = ""


def _open(graph: Chosen, context: GraphContext | None) -> Octopus:
    from app.octopus import Octopus

    name, artifact = graph
    return Octopus.load(name, artifact=artifact, context=context)


def _person(context: GraphContext | None) -> Person | None:
    from app.commands.terminal import ask_person

    return ask_person if context and context.approve else None


def _show(answered: Answered, thread: str | None) -> None:
    """Print an answer as one JSON object."""
    found = {"answer": answered.text, "thread": thread, "hops": answered.hops, "ended": answered.ended}
    print(json.dumps(found, ensure_ascii=False))  # noqa: T201


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
