"""Ask one question, or hold a conversation that is remembered: `octopus ask` and `octopus chat`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import Artifact, Graph

if TYPE_CHECKING:
    from app.octopus import Octopus
    from app.runs.events import Answered
    from app.runs.runner import Person
    from graphs.state import GraphContext

Chosen = tuple[str, Path | None]  # a graph and, where not its own, the artifact of its Octopus
Reflection = Annotated[
    str | None,
    typer.Option(
        help="How drafts are reflected on: none, basic, reflexion, lats or auto; by default as in the spec."
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(help="How much cost weighs against probability: quality (the default), balanced or cheap."),
]
Experts = Annotated[
    int | None, typer.Option(help="How many of the best neighbours answer the same question and vote.")
]
Approve = Annotated[bool, typer.Option("--approve", help="Ask before every step: y, n or another node.")]
Thread = Annotated[str | None, typer.Option("--thread", "-t", help="Id of the conversation to continue.")]


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
    """Hold a conversation; its thread is kept, so that you can continue tomorrow."""
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
            say("Its last question was interrupted; continuing with it.")
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


def context_of(*, approve: bool = False, **options: Any) -> GraphContext | None:
    """Return what the options ask of a run; None if they ask for nothing.

    Raises:
        InputError: a value cannot be used.
    """
    asked = {name: value for name, value in options.items() if value is not None}
    if approve:
        asked |= {"approve": True, "ask_user": True}
    if not asked:
        return None
    from pydantic import ValidationError

    from agents.errors import InputError
    from graphs.state import GraphContext

    try:
        return GraphContext.model_validate(asked)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name = str(fault["loc"][0])
        raise InputError(f"--{name} {fault['input']!r} cannot be used.", hint=f"{fault['msg']}.") from error
