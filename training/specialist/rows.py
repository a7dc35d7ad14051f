"""Rows to train a specialist on, checked line by line.

SFT: {"prompt": "…", "completion": "…"} or {"messages": [{"role", "content"}, …]}, the assistant's last.
DPO: {"prompt", "chosen", "rejected"}, texts, or a list of messages as the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agents.errors import InputError
from training.rows.labelled_rows import read_json_lines

Kind = Literal["sft", "dpo"]
Text = str | list[dict[str, str]]
"""Plain text, or chat messages."""

_RUN = 13  # words in a row that two independent texts do not share (Brown et al. 2020, arXiv 2005.14165)
_ROLES = frozenset({"system", "user", "assistant"})
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SpecialistRow:
    """A prompt with its replies: one to learn, or for DPO the better and the worse one."""

    where: str
    prompt: Text
    replies: tuple[str, ...]


@dataclass(frozen=True)
class CheckedRows:
    """Rows that can be trained on, and what is wrong with the others, by line."""

    rows: list[SpecialistRow]
    faults: list[str]


class Leaks:
    """Finds the texts that evaluation rows are made of.

    A row leaks if it shares 13 words in a row with an evaluation text, or holds a shorter one whole.

    Args:
        texts: of the evaluation.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._runs = {run for text in texts for run in _runs(text)}
        self._lengths = {len(run) for run in self._runs}

    def found(self, text: str) -> str | None:
        """The words that `text` shares with the evaluation, if it does."""
        words = _words(text)
        for length in self._lengths:
            for start in range(len(words) - length + 1):
                run = tuple(words[start : start + length])
                if run in self._runs:
                    return " ".join(run)
        return None


def evaluation_texts(paths: Sequence[Path]) -> Iterator[str]:
    """The questions of evaluation rows: their `query`, `question` or `prompt`."""
    for path in paths:
        for number, row in read_json_lines(path):
            text = next((row[name] for name in ("query", "question", "prompt") if name in row), None)
            if not isinstance(text, str):
                raise InputError(f"{path}:{number}: no query, question or prompt to keep out of training.")
            yield text


def check_rows(
    paths: Sequence[Path], kind: Kind, *, length: Callable[[SpecialistRow], int], most: int, leaks: Leaks
) -> CheckedRows:
    """Read `paths` and sort out what is not fit for training.

    Args:
        paths: JSON lines.
        kind: of training.
        length: tokens of a row, its longest reply taken.
        most: tokens a row may have.
        leaks: what may not be learnt.
    """
    rows, faults = [], []
    for path in paths:
        for number, value in read_json_lines(path):
            where = f"{path}:{number}"
            try:
                row = _parsed(value, where, kind)
                _check(row, length, most, leaks)
            except _FaultError as fault:
                faults.append(f"{where}: {fault}")
            else:
                rows.append(row)
    return CheckedRows(rows, faults)


def usable(checked: CheckedRows, *, skip: bool) -> list[SpecialistRow]:
    """The good rows; where there are bad ones they must be meant to be skipped.

    Raises:
        InputError: names the first bad lines, or that no row is left.
    """
    if checked.faults and not skip:
        more = len(checked.faults) - _SHOWN
        shown = "\n".join(checked.faults[:_SHOWN]) + (f"\n… and {more} more" if more > 0 else "")
        raise InputError(
            f"{len(checked.faults)} rows cannot be trained on:\n{shown}\n", hint="Or --skip-bad."
        )
    if len(checked.rows) < 2:
        raise InputError(f"{len(checked.rows)} rows are too few to train on and to measure.")
    return checked.rows


class _FaultError(ValueError):
    """What is wrong with one row."""


def _parsed(value: dict[str, Any], where: str, kind: Kind) -> SpecialistRow:
    if kind == "dpo":
        return SpecialistRow(where, _prompt(value), (_text(value, "chosen"), _text(value, "rejected")))
    if "messages" not in value:
        return SpecialistRow(where, _prompt(value), (_text(value, "completion"),))
    messages = _messages(value["messages"])
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        raise _FaultError("messages must end with one of the assistant, after others.")
    return SpecialistRow(where, messages[:-1], (messages[-1]["content"],))


def _prompt(value: dict[str, Any]) -> Text:
    return _messages(value["prompt"]) if isinstance(value.get("prompt"), list) else _text(value, "prompt")


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if isinstance(text, list) and len(text) == 1:  # a reply as a list of one message
        text = _messages(text)[0]["content"]
    if not isinstance(text, str):
        raise _FaultError(f"{name} must be text, not {text!r:.60}.")
    if not text.strip():
        raise _FaultError(f"{name} is empty.")
    return text


def _messages(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or not value:
        raise _FaultError(f"messages must be a list of role and content, not {value!r:.60}.")
    for message in value:
        fit = isinstance(message, dict) and message.get("role") in _ROLES
        if not fit or not isinstance(message.get("content"), str):
            raise _FaultError(f"{message!r:.60} is no message of a system, user or assistant.")
        if not message["content"].strip():
            raise _FaultError(f"a message of the {message['role']} is empty.")
    return [{"role": message["role"], "content": message["content"]} for message in value]


def _check(row: SpecialistRow, length: Callable[[SpecialistRow], int], most: int, leaks: Leaks) -> None:
    if len(row.replies) == 2 and row.replies[0].strip() == row.replies[1].strip():
        raise _FaultError("chosen and rejected are the same.")
    if (tokens := length(row)) > most:
        raise _FaultError(f"too long: {tokens} tokens, where {most} fit.")
    said = row.prompt if isinstance(row.prompt, str) else "\n".join(m["content"] for m in row.prompt)
    for text in (said, *row.replies):
        if leaked := leaks.found(text):
            raise _FaultError(f"leaks an evaluation row: {leaked!r:.80}.")


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    """All runs of 13 words, or the whole of a shorter text."""
    words = _words(text)
    for start in range(max(1, len(words) - _RUN + 1)):
        if run := tuple(words[start : start + _RUN]):
            yield run
