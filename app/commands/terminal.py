"""Show a run on the terminal as it happens."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from agents.errors import OctopusGraphError
from agents.types import COMPUTED, Hop
from app.commands.options import Detail, exit_code
from app.runs.events import Answered, Decided, Ended, Event, Hopped, Written, worded
from graphs.branches import outcomes
from graphs.traversal import is_alone

_console = Console(highlight=False, soft_wrap=True)
_errors = Console(highlight=False, soft_wrap=True, stderr=True)
_CALL = re.compile(rf"\n{COMPUTED} [^\n]+")  # how it was computed is no part of the answer alone
# What a model writes may not move the cursor or recolour the screen: no control characters but \t and \n.
_CONTROLS = dict.fromkeys((set(range(32)) - {9, 10}) | set(range(127, 160)))


def say(text: str, *, end: str = "\n", style: str = "") -> None:
    """Print a text as it is: nothing in it is read as markup, an emoji's name or a control sequence."""
    _console.print(Text(text.translate(_CONTROLS), style=style), end=end)


def warn(text: str) -> None:
    """Print on standard error what is no answer."""
    _errors.print(Text(text.translate(_CONTROLS), style="yellow"))


@contextmanager
def explained(detail: Detail) -> Iterator[None]:
    """Add to an error that a user can act on how it came about, where details are wanted."""
    try:
        yield
    except OctopusGraphError as error:
        if detail == "full":
            error.add_note("".join(traceback.format_exception(error)).rstrip())
        raise


def explain(error: Exception, detail: Detail) -> None:
    """Say what went wrong, after which the program goes on."""
    fault = "" if exit_code(error) != 1 else f"a fault of the program, {type(error).__name__}: "
    warn(f"octopus: {fault}{error}")
    if detail == "full":
        warn("".join(traceback.format_exception(error)).rstrip())


async def ask_person(asked: dict[str, Any]) -> str:
    """Put an interrupt's question to the person at the terminal; no reply means no."""
    text, prompt = worded(asked)
    # Standard output is for the answer.
    print(f"{text}\n{prompt}", end=" ", file=sys.stderr, flush=True)  # noqa: T201
    line = await _line_of_input()
    if not sys.stdin.isatty():  # where nobody's Enter ended the line
        print(file=sys.stderr)  # noqa: T201
    return line.decode("utf-8", "replace").strip() or "n"


async def _line_of_input() -> bytes:
    """Read a line; not in a thread, which would wait for it even when Ctrl-C has ended the question."""
    loop, line = asyncio.get_running_loop(), bytearray()
    ended = loop.create_future()

    def take() -> None:
        byte = os.read(source, 1)  # and nothing of the next line
        line.extend(byte)
        if byte in (b"", b"\n") and not ended.done():
            ended.set_result(None)

    try:
        source = sys.stdin.fileno()
        loop.add_reader(source, take)
    except (OSError, ValueError, NotImplementedError):  # a file, for which nobody waits
        return sys.stdin.buffer.readline()
    try:
        await ended
    finally:
        loop.remove_reader(source)
    return bytes(line)


class Trace:
    """Print decisions when they are taken and the answer while it is written, each thing once.

    Args:
        question: what was asked; a query that says the same is not shown.
        detail: `answer` shows that alone, `full` shows everything.

    Attributes:
        answered: the end of the run.
    """

    def __init__(self, question: str, detail: Detail = "trace") -> None:
        self.answered = Answered()
        self._question = question
        self._detail = detail
        self._before: Hop | None = None  # the hop before a decision, its answer not shown yet
        self._ended: list[str] = []  # why walks ended, not shown yet
        self._writing = False

    def tell(self, event: Event) -> None:
        """Show what happened."""
        match event:
            case Written(text):
                self._writing = True
                say(text, end="")
            case Answered():
                self.answered = event
                self._show_end(event)
            case _ if self._detail == "answer":
                return
            case Decided(decision):
                self._show_answer_before()
                self._show_decision(decision)
            case Ended(decision):
                self._ended.append(decision["reason"])
            case Hopped(hop):
                self._show_hop(hop)

    @property
    def _most(self) -> int | None:
        return None if self._detail == "full" else 300

    def _show_end(self, answered: Answered) -> None:
        """Print why the walks ended and the rest of the answer; on standard error where nobody answered."""
        for reason in self._ended:
            if reason != answered.rest.strip():
                self._end_line()
                _line("end", reason, self._most)
        if answered.status == "answered" or any(
            one["status"] == "answered" for one in outcomes(answered.hops)
        ):
            computed = any("model" not in one["evidence"] for one in outcomes(answered.hops))
            quiet = computed and self._detail == "answer"
            say(_CALL.sub("", answered.rest) if quiet else answered.rest)
            self._writing = False
            for text, _ in answered.others:
                say(f"\nOr:\n{text}")
            for call in answered.calls:
                say(f"{call['name']}({json.dumps(call['args'], ensure_ascii=False)})")
            if answered.finish_reason == "length":
                warn("The answer ends at its limit of tokens; -p max_tokens=4000 allows more.")
            return
        self._end_line()
        warn(answered.rest.strip())

    def _show_hop(self, hop: Hop) -> None:
        branch, full = hop["branch"], self._detail == "full"
        if is_alone(branch):
            self._before = hop
        elif full or branch["experts"] > 1:  # the parts of a question are all in the answer
            told = f"{hop['node']} {hop['status']}: {short(hop['answer'], None if full else 100)}"
            _line(f"part {branch['part'] + 1}", told, None)
        reflected = hop["evidence"].get("reflection")
        for number, one in enumerate(reflected["rounds"] if reflected else (), 1):
            verdict = "not judged" if one["score"] is None else f"score {one['score']:.2f}"
            text = f"{verdict}, {one['tokens']} tokens so far. {short(one['feedback'], self._most)}"
            _line(f"round {number}", text.rstrip(), None)
        if reflected:
            _line(reflected["level"], f"stopped: {reflected['reason']}", None)
        self._show_steps(hop["evidence"])
        if full:
            self._end_line()
            _show_outcome(hop)

    def _show_steps(self, evidence: Mapping[str, Any]) -> None:
        """Print the tools that a model called, a line each, and why it called no more."""
        lines = [("call", _told(step, self._most)) for step in evidence.get("steps", ())]
        if note := evidence.get("tools", {}).get("note"):
            lines.append(("tools", note))
        if lines:
            self._end_line()
        for name, text in lines:
            _line(name, text, None)

    def _show_decision(self, decision: Hop) -> None:
        full, kind = self._detail == "full", "" if decision["calibrated"] else ", not calibrated"
        head = f"{decision['master']} → {decision['token']} {decision['node']}"
        say(f"{head}  (p = {decision['probability']:.2f}{kind})", style="bold cyan")
        if reason := decision["reason"] if full else _beyond_head(decision):
            _line("reason", reason, self._most)
        known = {_flat(self._question), _flat(decision["branch"]["text"])}
        if full or _flat(decision["query"]) not in known:
            _line("query", decision["query"], self._most)
        if full:
            ranked = ", ".join(
                f"{one['node']} {one['probability']:.2f}"
                for one in decision["choices"]
                if one["probability"] >= 0.005
            )
            _line("choices", ranked, None)
            _line("by", f"{decision['decided_by']}; rewrite {decision['rewrite']}", None)

    def _show_answer_before(self) -> None:
        """Print the answer of a hop that is not the last."""
        self._end_line()
        if self._before is not None:
            node, answer = self._before["node"], self._before["answer"]
            say(f"  {node:7} {short(answer, self._most)}")
            self._before = None

    def _end_line(self) -> None:
        if self._writing:
            say("")
        self._writing = False


def _show_outcome(hop: Hop) -> None:
    cost = f", ${hop['cost']:.6f}" if hop["cost"] else ""
    _line("outcome", f"{hop['status']} in {hop['seconds']:.2f} s, {hop['tokens']} tokens{cost}", None)
    for name, value in hop["evidence"].items():
        if name not in ("reflection", "steps"):  # they are shown already
            _line(name, json.dumps(value, ensure_ascii=False, default=str), None)


def _told(step: Mapping[str, Any], most: int | None) -> str:
    """Return a call with its result in one line; in the short trace the ends of long values are cut off."""
    each = most and most // 3
    given = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in step["arguments"].items()
    )
    result = short(str(step.get("result", f"failed: {step.get('error')}")), each)
    return f"{step['tool']}({short(given, each)}): {result} ({step['seconds']:.2f} s)"


def _beyond_head(decision: Hop) -> str:
    """Return what the reason says beyond the line above it: not which node, and how probable."""
    reason, _, _ = decision["reason"].partition(" By its words alone: ")
    same = f"{decision['node']} has the highest probability, {decision['probability']:.2f}."
    return "" if reason == same else reason.replace(f"; {same}", ".")


def _line(name: str, text: str, most: int | None) -> None:
    say(f"  {name:7} {short(text, most)}", style="dim")


def _flat(text: str) -> str:
    return " ".join(text.split())


def short(text: str, most: int | None = 300) -> str:
    """Return the text in one line, its end cut off after `most` characters."""
    flat = _flat(text)
    return flat if most is None or len(flat) <= most else f"{flat[:most]}… ({len(text):,} characters)"
