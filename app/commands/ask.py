"""Ask one question and see how it goes through the graph: `octopus ask`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import (
    EXIT_CODES,
    WAIT,
    Approve,
    Artifact,
    Experts,
    Graph,
    Model,
    Models,
    Parameters,
    Policy,
    Quiet,
    Reflection,
    Thread,
    Verbose,
    context_of,
    detail_of,
    settings_of,
)

if TYPE_CHECKING:
    from app.runs.events import Answered


def ask(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUESTION", help="What to ask; without it, or for -, standard input."),
    ] = None,
    graph: Graph = "mmlu",
    artifact: Artifact = None,
    model: Model = None,
    models: Models = None,
    thread: Thread = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    approve: Approve = False,
    reflection: Reflection = None,
    policy: Policy = None,
    experts: Experts = None,
    parameters: Parameters = None,
) -> None:
    """Ask one question and see how it goes through the graph. Several words need no quotes."""
    detail = detail_of(quiet=quiet, verbose=verbose)
    question = _question(words or [])
    context = context_of(parameters, approve=approve, reflection=reflection, policy=policy, experts=experts)
    from app.commands.models import advice, tell_choices
    from app.commands.terminal import Trace, ask_person, explained, say, warn
    from app.octopus import Octopus

    settings = settings_of(model, models)
    tell_choices(quiet=as_json or detail == "answer")
    with (
        explained(detail),
        Octopus.load(graph, artifact=artifact, settings=settings, context=context) as octopus,
    ):
        if detail == "full" and not as_json and (notice := octopus.assembly.routing.notice):
            say(f"  router  {notice}", style="dim")
        person = ask_person if approve else None
        if as_json:
            answered = octopus.ask(question, thread=thread, person=person, wait=WAIT)
            _show(answered, thread)
        else:
            trace = Trace(question, detail)
            for event in octopus.stream(question, thread=thread, person=person, wait=WAIT):
                trace.tell(event)
            answered = trace.answered
    spec, how = octopus.spec, "--model auto, or OCTOPUS_MODEL=auto,"
    if detail != "answer" and (told := advice(answered, spec, settings, how)):
        warn(told)
    if code := EXIT_CODES[answered.status]:
        raise typer.Exit(code)


def _show(answered: Answered, thread: str | None) -> None:
    """Print an answer as one JSON object."""
    found = {
        "answer": None if answered.failure else answered.text,
        "status": answered.status,
        "failure": answered.failure,
        "thread": thread,
        "hops": answered.hops,
        "ended": answered.ended,
    }
    print(json.dumps(found, ensure_ascii=False))  # noqa: T201


def _question(words: list[str]) -> str:
    """Return the question: the words, or all of standard input.

    Raises:
        InputError: there is neither, or it is not UTF-8.
    """
    from agents.errors import InputError

    if words and words != ["-"]:
        return " ".join(words)
    # With words it is not read: a shell's loop that asks line by line would lose its lines.
    if sys.stdin is None or (not words and sys.stdin.isatty()):
        raise InputError(
            "there is no question.", hint='Write one: octopus ask "What is 2 + 2?". `octopus chat` talks.'
        )
    return decoded(sys.stdin.buffer.read())


def decoded(read: bytes) -> str:
    """Return the text of standard input.

    Raises:
        InputError: it is not UTF-8.
    """
    try:
        return read.decode("utf-8")
    except UnicodeDecodeError as error:
        from agents.errors import InputError

        raise InputError(
            f"standard input is not UTF-8 at byte {error.start}.", hint="Send UTF-8 text."
        ) from error
