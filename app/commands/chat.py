"""Hold a conversation that is remembered: `octopus chat`."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from app.commands.options import (
    EXIT_CODES,
    WAIT,
    Approve,
    Artifact,
    Detail,
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
    exit_code,
    settings_of,
)

if TYPE_CHECKING:
    from app.commands.prompt import Prompt
    from app.octopus import Octopus
    from app.settings import Settings
    from graphs.state import GraphContext

_COMMAND = re.compile(r"/([A-Za-z?]+)(?:[ \t]+(.*?))?\s*")
_SHOWN = 4  # messages of a thread that is gone on with
_LISTED = 10


def chat(
    graph: Graph = "mmlu",
    artifact: Artifact = None,
    model: Model = None,
    models: Models = None,
    thread: Thread = "chat",
    quiet: Quiet = False,
    verbose: Verbose = False,
    approve: Approve = False,
    reflection: Reflection = None,
    policy: Policy = None,
    experts: Experts = None,
    parameters: Parameters = None,
) -> None:
    """Hold a conversation; its thread is kept, so that you can continue tomorrow. /help lists its commands.

    Where standard input is no terminal, each of its lines is a message, and the exit code that of the last.
    """
    detail = detail_of(quiet=quiet, verbose=verbose)
    context = context_of(parameters, approve=approve, reflection=reflection, policy=policy, experts=experts)
    from app.commands.models import tell_choices

    settings = settings_of(model, models)
    tell_choices(quiet=detail == "answer")
    held = Chat(settings, graph, artifact, thread or "chat", detail, context)
    if code := asyncio.run(held.hold()):
        raise typer.Exit(code)


@dataclass
class Chat:
    """Hold one conversation after another.

    Attributes:
        settings: which model answers, and where threads are.
        graph, artifact: what is asked.
        thread: id of the conversation.
        detail: how much of each run is shown.
        context: budgets, approval and reflection.
    """

    settings: Settings
    graph: str
    artifact: Path | None
    thread: str
    detail: Detail
    context: GraphContext
    _octopus: Octopus = field(init=False)
    _prompt: Prompt = field(init=False)
    _typed: bool = True
    _code: int = 0
    _working: asyncio.Task[None] | None = None
    _over: bool = False

    async def hold(self) -> int:
        """Read messages and answer them, until there are no more; return the exit code."""
        self._typed = sys.stdin.isatty() and sys.stdout.isatty()
        self._prompt = self._open_prompt()
        self._octopus = self._load()
        try:
            before = await self._begin()
            while not self._over and (text := await self._prompt.read(before)) is not None:
                before = ""
                if command := _COMMAND.fullmatch(text):
                    await self._until_stopped(self._do(command[1], command[2] or ""))
                else:
                    await self._until_stopped(self._answer(text))
        finally:
            await self._octopus.aclose()
        return 0 if self._typed else self._code

    def _open_prompt(self) -> Prompt:
        from app.commands.prompt import Lines, Terminal

        if not self._typed:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # ends a script, as it does everywhere
            return Lines()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._stop)
        return Terminal(self.settings.data_dir / "history", [f"/{name}" for name in _COMMANDS])

    def _load(self) -> Octopus:
        from app.octopus import Octopus

        return Octopus.load(self.graph, artifact=self.artifact, settings=self.settings, context=self.context)

    async def _begin(self) -> str:
        """Show where the thread stands; return its last message if that has no answer."""
        from app.commands.terminal import say, short

        before, idle = await self._octopus.amessages(self.thread), True
        if before and before[-1].type == "human":  # it may be answered elsewhere now
            idle = await self._octopus.aidle(self.thread, WAIT)
            before = await self._octopus.amessages(self.thread)
        unanswered = str(before[-1].text) if before and before[-1].type == "human" and idle else ""
        if self.detail != "answer":
            how = " /help lists the commands, Ctrl-D ends it." if self._typed else ""
            say(f"Thread {self.thread!r} of graph {self.graph!r}, {len(before)} messages so far.{how}")
            for message in before[-_SHOWN:]:
                who = "you" if message.type == "human" else message.name or "octopus"
                say(f"  {who}: {short(str(message.text))}")
            if unanswered:
                say("Its last question was interrupted; sent again, it goes on where it was.")
            if not idle:
                say("Its last question is being answered elsewhere.")
            if self._typed and not self.settings.model:
                await self._offer()
        return unanswered

    async def _offer(self) -> None:
        from app.commands.models import offer
        from app.commands.terminal import say

        if found := await asyncio.to_thread(offer, "/model auto"):
            say(f"No model is connected. {found}")

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Await the work, which Ctrl-C may end; say what went wrong, and go on."""
        from app.commands.terminal import explain, say

        self._working = asyncio.create_task(work)
        try:
            with self._prompt.answering():
                await self._working
        except asyncio.CancelledError:
            if (current := asyncio.current_task()) and current.cancelling():
                raise
            say("\nStopped.", style="dim")
        except Exception as error:
            self._code = exit_code(error)
            explain(error, self.detail)
        finally:
            self._working = None

    def _stop(self) -> None:
        if self._working is not None:
            self._working.cancel()

    async def _answer(self, question: str) -> None:
        from app.commands.terminal import Trace

        trace = Trace(question, self.detail)
        person = self._prompt.ask if self.context and self.context.approve else None
        events = self._octopus.astream(question, thread=self.thread, person=person, wait=WAIT)
        async with aclosing(events):
            async for event in events:
                trace.tell(event)
        self._code = EXIT_CODES[trace.answered.status]

    async def _do(self, name: str, argument: str) -> None:
        from app.commands.terminal import say

        if (command := _COMMANDS.get(name.lower())) is None:
            say(f"There is no command /{name}, and nothing was sent. /help lists the commands.")
            return
        await command[0](self, argument)

    async def _help(self, _: str) -> None:
        from app.commands.terminal import say

        for name, command in _COMMANDS.items():
            say(f"  /{name:8} {command[1]}")
        say("  Alt-Enter or Ctrl-J begins a new line, Ctrl-C stops an answer, Ctrl-D ends the chat.")
        say("  A space before the slash sends a line as a question.")

    async def _new(self, name: str) -> None:
        before, self.thread = self.thread, name or f"chat-{datetime.now():%Y%m%d-%H%M%S}"
        try:
            await self._begin()
        except BaseException:
            self.thread = before
            raise

    async def _threads(self, name: str) -> None:
        from app.commands.terminal import say
        from app.commands.threads import line_of
        from app.persistence.threads import list_threads
        from app.runs.memory import open_saver

        if name:
            await self._new(name)
            return
        async with open_saver(self.settings) as saver:
            found = await list_threads(saver, _LISTED)
        for one in found:
            say(f"{'*' if one.thread_id == self.thread else ' '} {line_of(one)}")
        if not found:
            say("No thread is kept yet.")

    async def _model(self, reference: str) -> None:
        from agents.redaction import bare_urls
        from app.commands.models import used_models
        from app.commands.terminal import say, warn
        from graphs.settings import models_of

        if reference:
            await self._reload(settings=self.settings.using(models_of([reference])))
        used = await asyncio.to_thread(used_models, self._octopus.spec, self.settings)
        model = bare_urls(self.settings.model or "their tools alone")
        say(f"Workers without a model of their own: {model}.")
        for name, one in used.items():
            if not one.general:
                say(f"  {name}: {one.model}")
        for text in {one.trouble: None for one in used.values() if one.trouble}:
            warn(f"{text[:1].upper()}{text[1:].rstrip('.')}.")
        if not reference and not self.settings.model:
            await self._offer()

    async def _graph(self, name: str) -> None:
        from app.commands.terminal import say

        if name:
            await self._reload(graph=name, artifact=None)
        workers = ", ".join(self._octopus.spec.workers)
        say(f"Graph {self.graph!r}: {workers}.")

    async def _reload(self, **changed: Any) -> None:
        """Load with what changed; after a fault everything is as it was."""
        before, old = {name: getattr(self, name) for name in changed}, self._octopus
        vars(self).update(changed)
        try:
            self._octopus = self._load()
        except BaseException:
            vars(self).update(before)
            raise
        await old.aclose()

    async def _exit(self, _: str) -> None:
        self._over = True


_COMMANDS: dict[str, tuple[Callable[[Chat, str], Awaitable[None]], str]] = {
    "help": (Chat._help, "lists these commands"),
    "new": (Chat._new, "begins a thread, which may be named: /new work"),
    "threads": (Chat._threads, "lists the threads, or goes on with one: /threads work"),
    "model": (
        Chat._model,
        "shows which model answers, or takes another: /model auto, /model law=ollama:NAME, /model none",
    ),
    "graph": (Chat._graph, "shows the graph, or takes another: /graph subjects"),
    "exit": (Chat._exit, "ends the chat"),
}
