"""Read what a person says in a conversation: at the terminal, or line by line from a file or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.commands.ask import decoded
from app.commands.terminal import say
from app.runs.events import worded

if TYPE_CHECKING:
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

_DEFAULT = "> "


class Prompt(Protocol):
    """Read messages, until there are no more."""

    async def read(self, before: str = "") -> str | None:
        """Return the next message, None at the end; `before` is one that was not answered."""
        ...

    async def ask(self, asked: dict[str, Any]) -> str:
        """Return the answer to what a run asks."""
        ...

    def answering(self) -> AbstractContextManager[None]:
        """Keep what is typed during an answer for the next message."""
        ...


class Lines:
    """Read messages that no person types: each line is one, empty lines are none."""

    async def read(self, before: str = "") -> str | None:
        """Return the next message; one that was not answered goes first."""
        # In this thread: nothing else runs, and Ctrl-C ends it.
        while not before.strip() and (line := sys.stdin.buffer.readline()):
            before = decoded(line).rstrip("\r\n")
        return before if before.strip() else None

    async def ask(self, asked: dict[str, Any]) -> str:
        """Return the next line; none means no."""
        text, prompt = worded(asked)
        print(f"{text}\n{prompt}", file=sys.stderr)  # noqa: T201
        return decoded(sys.stdin.buffer.readline()).strip() or "n"

    def answering(self) -> AbstractContextManager[None]:
        """Do nothing: what is piped waits by itself."""
        return nullcontext()


class Terminal:
    """Read messages with a line editor: several lines, pasted text as it is, and what was typed before.

    Enter sends, and Alt-Enter or Ctrl-J begins a new line. Ctrl-C empties the line; twice on an empty one
    it ends the conversation, and so does Ctrl-D.

    Args:
        history: the file of what was typed.
        commands: words to complete.
    """

    def __init__(self, history: Path, commands: Sequence[str]) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import WordCompleter

        self._leaving = False
        self._session: Any = PromptSession(
            history=_history(history),
            key_bindings=_keys(),
            multiline=True,
            completer=WordCompleter(list(commands), sentence=True),
            complete_while_typing=False,
            enable_suspend=True,
            reserve_space_for_menu=0,
            prompt_continuation=" " * len(_DEFAULT),
        )

    async def read(self, before: str = "") -> str | None:
        """Return the next message; one that was not answered is there to be sent or changed."""
        while True:
            try:
                text = await self._prompt(self._session, _DEFAULT, default=before)
            except EOFError:
                return None
            except KeyboardInterrupt:
                if self._leaving:
                    return None
                self._leaving, before = True, ""
                say("Once more Ctrl-C, or Ctrl-D, ends the chat.", style="dim")
                continue
            self._leaving = False
            if text.strip():
                return text

    async def ask(self, asked: dict[str, Any]) -> str:
        """Return what the person answers; nothing means no."""
        from prompt_toolkit import PromptSession

        text, prompt = worded(asked)
        say(text)
        try:
            return (await self._prompt(PromptSession(), f"{prompt} ")).strip() or "n"
        except (EOFError, KeyboardInterrupt):
            return "n"

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Keep keys as they are, unseen until the next prompt: a terminal makes a new line of Enter."""
        try:
            import termios
        except ModuleNotFoundError:  # Windows keeps them so
            yield
            return
        before = termios.tcgetattr(sys.stdin)
        plain = list(before)
        plain[0] &= ~termios.ICRNL
        plain[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(sys.stdin, termios.TCSANOW, plain)
        try:
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)

    async def _prompt(self, session: Any, prompt: str, **how: Any) -> str:
        # The signal is the chat's: it stops an answer. Ctrl-C is a key here.
        return str(
            await session.prompt_async(prompt, handle_sigint=False, set_exception_handler=False, **how)
        )


def _keys() -> KeyBindings:
    from prompt_toolkit.enums import DEFAULT_BUFFER
    from prompt_toolkit.filters import has_focus
    from prompt_toolkit.key_binding import KeyBindings

    keys, typing = KeyBindings(), has_focus(DEFAULT_BUFFER)  # and not searching what was typed before
    keys.add("enter", filter=typing)(_send)
    keys.add("escape", "enter", filter=typing)(_new_line)
    keys.add("c-j", filter=typing)(_new_line)
    keys.add("c-c", filter=typing)(_interrupt)
    return keys


def _send(event: KeyPressEvent) -> None:
    buffer = event.current_buffer
    # What a terminal sends may be no UTF-8, which the file of what was typed cannot keep.
    buffer.text = buffer.text.encode("utf-8", "replace").decode()
    buffer.validate_and_handle()


def _new_line(event: KeyPressEvent) -> None:
    event.current_buffer.insert_text("\n")


def _interrupt(event: KeyPressEvent) -> None:
    if event.current_buffer.text:
        event.current_buffer.reset()
    else:
        event.app.exit(exception=KeyboardInterrupt())


def _history(file: Path) -> History:
    """Return the history in `file`, which only its owner reads; one that is not kept where that cannot be."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        with file.open("a"):
            return FileHistory(str(file))
    except OSError:
        return InMemoryHistory()
