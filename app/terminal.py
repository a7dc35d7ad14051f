"""Show a run on the terminal as it happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from langchain_core.messages import AIMessageChunk
from rich.console import Console
from rich.text import Text

from agents.octopus.tokens import END_TOKEN
from agents.types import Hop

_console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line, as it is: nothing in it is read as markup."""
    _console.print(text, markup=False)


class Trace:
    """Prints decisions when they are taken and the answer while it is written."""

    def __init__(self) -> None:
        self._hops: list[Hop] = []
        self._streamed = False

    async def show(self, events: AsyncIterator[tuple[str, Any]]) -> list[Hop]:
        """Follow a run to its end; returns its hops."""
        async for mode, event in events:
            if mode == "messages":
                self._show_chunk(event[0])
                continue
            for update in event.values():
                self._show_update(update or {})
        return self._hops

    def _show_update(self, update: dict[str, Any]) -> None:
        if (decision := update.get("decision")) and decision["token"] != END_TOKEN:
            self._show_decision(decision)
        self._hops += update.get("hops", [])
        for hop in update.get("hops", []):
            self._show_reflection(hop["evidence"].get("reflection"))
        if update.get("messages"):
            self._show_answer(str(update["messages"][-1].text))

    def _show_decision(self, decision: dict[str, Any]) -> None:
        kind = "" if decision["calibrated"] else ", not calibrated"
        head = f"{decision['master']} → {decision['token']} {decision['node']}"
        _console.print(Text(f"{head}  (p = {decision['probability']:.2f}{kind})", style="bold cyan"))
        for name, text in (("reason", decision["reason"]), ("query", decision["rewritten"])):
            _console.print(Text(f"  {name:7} {_short(text)}", style="dim"))

    def _show_reflection(self, trace: dict[str, Any] | None) -> None:
        for number, one in enumerate(trace["rounds"] if trace else (), 1):
            verdict = "not judged" if one["score"] is None else f"score {one['score']:.2f}"
            text = f"  round {number} {verdict}, {one['tokens']} tokens so far. {_short(one['feedback'])}"
            _console.print(Text(text.rstrip(), style="dim"))
        if trace:
            _console.print(Text(f"  {trace['level']} stopped: {trace['reason']}", style="dim"))

    def _show_chunk(self, chunk: Any) -> None:
        if isinstance(chunk, AIMessageChunk) and chunk.text:
            self._streamed = True
            _console.print(str(chunk.text), end="", markup=False)

    def _show_answer(self, text: str) -> None:
        say("" if self._streamed else text)


def _short(text: str, most: int = 300) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[:most]}… ({len(text):,} characters)"
