"""Show a run on the terminal as it happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.messages import AIMessageChunk
from rich.console import Console
from rich.text import Text

from agents.octopus.tokens import END_TOKEN
from agents.types import Hop
from app.runs.questions import worded

_console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line, as it is: nothing in it is read as markup."""
    _console.print(text, markup=False)


async def ask_person(asked: dict[str, Any]) -> str:
    """Put an interrupt's question to whoever sits at the terminal; nobody there means no."""
    text, prompt = worded(asked)
    return await asyncio.to_thread(_prompt, text, f"{prompt} ")


def _prompt(text: str, prompt: str) -> str:
    # Standard output is for the answer.
    print(f"{text}\n{prompt}", end="", file=sys.stderr, flush=True)  # noqa: T201
    return sys.stdin.readline().strip() or "n"


class Trace:
    """Prints decisions when they are taken and the answer while it is written."""

    def __init__(self) -> None:
        self._hops: list[Hop] = []
        self._written = ""  # by a model, of the hop that is being executed
        self._parallel = False

    async def show(self, events: AsyncIterator[tuple[str, Any]]) -> list[Hop]:
        """Follow a run to its end; returns its hops."""
        async for mode, event in events:
            if mode == "messages":
                self._show_chunk(event[0])
                continue
            for update in event.values():
                if isinstance(update, dict):  # LangGraph reports a task's result too
                    self._show_update(update)
        return self._hops

    def _show_update(self, update: dict[str, Any]) -> None:
        hops = update.get("hops", [])
        self._hops += hops
        for hop in hops:
            if self._parallel:
                _line(f"  part {hop['branch']['part'] + 1}  {_told(hop)}", dim=True)
            self._show_reflection(hop["evidence"].get("reflection"))
        if planned := update.get("planned"):
            self._show_decisions(planned, hops)
        if update.get("messages"):
            self._show_answer(str(update["messages"][-1].text))

    def _show_decisions(self, planned: list[Hop], hops: list[Hop]) -> None:
        self._parallel = self._parallel or len(planned) > 1
        for one in planned:
            if one["token"] != END_TOKEN:
                if hops and not self._parallel:
                    self._show_hop(hops[-1])
                _show_decision(one)
            elif one["reason"] and one["master"]:
                if self._written:
                    say("")
                _line(f"  {'end':7} {_short(one['reason'])}", dim=True)

    def _show_hop(self, hop: Hop) -> None:
        """The answer of a hop that is not the last, unless it was written as it came."""
        if self._written:
            say("")
        else:
            _line(f"  {hop['node']:7} {_short(hop['answer'])}")
        self._written = ""

    def _show_reflection(self, trace: dict[str, Any] | None) -> None:
        for number, one in enumerate(trace["rounds"] if trace else (), 1):
            verdict = "not judged" if one["score"] is None else f"score {one['score']:.2f}"
            text = f"  round {number} {verdict}, {one['tokens']} tokens so far. {_short(one['feedback'])}"
            _console.print(Text(text.rstrip(), style="dim"))
        if trace:
            _console.print(Text(f"  {trace['level']} stopped: {trace['reason']}", style="dim"))

    def _show_chunk(self, chunk: Any) -> None:
        # Branches would write into each other's words.
        if isinstance(chunk, AIMessageChunk) and chunk.text and not self._parallel:
            self._written += str(chunk.text)
            _console.print(str(chunk.text), end="", markup=False)

    def _show_answer(self, text: str) -> None:
        shown = self._written and text.strip() == self._written.strip()
        say("" if shown else text)


def _show_decision(decision: Hop) -> None:
    kind = "" if decision["calibrated"] else ", not calibrated"
    head = f"{decision['master']} → {decision['token']} {decision['node']}"
    _console.print(Text(f"{head}  (p = {decision['probability']:.2f}{kind})", style="bold cyan"))
    for name, text in (("reason", decision["reason"]), ("query", decision["query"])):
        _line(f"  {name:7} {_short(text)}", dim=True)


def _told(hop: Hop) -> str:
    return f"{hop['node']} {hop['status']}: {_short(hop['answer'], 100)}"


def _line(text: str, *, dim: bool = False) -> None:
    _console.print(Text(text, style="dim" if dim else ""))


def _short(text: str, most: int = 300) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[:most]}… ({len(text):,} characters)"
