"""Show a run on the terminal as it happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from agents.types import Hop
from app.runs.events import Answered, Decided, Ended, Event, Hopped, Written, worded
from graphs.traversal import is_alone

_console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Print one line as it is: nothing in it is read as markup."""
    _console.print(text, markup=False)


async def ask_person(asked: dict[str, Any]) -> str:
    """Put an interrupt's question to the person at the terminal; no reply means no."""
    text, prompt = worded(asked)
    return await asyncio.to_thread(_prompt, text, f"{prompt} ")


def _prompt(text: str, prompt: str) -> str:
    # Standard output is for the answer.
    print(f"{text}\n{prompt}", end="", file=sys.stderr, flush=True)  # noqa: T201
    return sys.stdin.readline().strip() or "n"


class Trace:
    """Print decisions when they are taken and the answer while it is written."""

    def __init__(self) -> None:
        self._before: Hop | None = None  # the hop before a decision, its answer not shown yet
        self._writing = False

    def show(self, events: Iterable[Event]) -> Answered:
        """Follow a run to its end and return its answer."""
        answered = Answered()
        for event in events:
            match event:
                case Decided(decision):
                    self._show_answer_before()
                    _show_decision(decision)
                case Ended(decision):
                    self._end_line()
                    _line(f"  {'end':7} {_short(decision['reason'])}", dim=True)
                case Hopped(hop):
                    self._show_hop(hop)
                case Written(text):
                    self._writing = True
                    _console.print(text, end="", markup=False)
                case Answered():
                    answered = event
                    say(event.rest)
                    self._writing = False
        return answered

    def _show_hop(self, hop: Hop) -> None:
        if is_alone(hop["branch"]):
            self._before = hop
        else:
            told = f"{hop['node']} {hop['status']}: {_short(hop['answer'], 100)}"
            _line(f"  part {hop['branch']['part'] + 1}  {told}", dim=True)
        reflected = hop["evidence"].get("reflection")
        for number, one in enumerate(reflected["rounds"] if reflected else (), 1):
            verdict = "not judged" if one["score"] is None else f"score {one['score']:.2f}"
            text = f"  round {number} {verdict}, {one['tokens']} tokens so far. {_short(one['feedback'])}"
            _line(text.rstrip(), dim=True)
        if reflected:
            _line(f"  {reflected['level']} stopped: {reflected['reason']}", dim=True)

    def _show_answer_before(self) -> None:
        """Print the answer of a hop that is not the last."""
        self._end_line()
        if self._before is not None:
            _line(f"  {self._before['node']:7} {_short(self._before['answer'])}")
            self._before = None

    def _end_line(self) -> None:
        if self._writing:
            say("")
        self._writing = False


def _show_decision(decision: Hop) -> None:
    kind = "" if decision["calibrated"] else ", not calibrated"
    head = f"{decision['master']} → {decision['token']} {decision['node']}"
    _console.print(Text(f"{head}  (p = {decision['probability']:.2f}{kind})", style="bold cyan"))
    for name, text in (("reason", decision["reason"]), ("query", decision["query"])):
        _line(f"  {name:7} {_short(text)}", dim=True)


def _line(text: str, *, dim: bool = False) -> None:
    _console.print(Text(text, style="dim" if dim else ""))


def _short(text: str, most: int = 300) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[:most]}… ({len(text):,} characters)"
