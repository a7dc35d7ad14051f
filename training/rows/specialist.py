"""Read rows to train a specialist on, and check every line.

SFT: {"prompt": "…", "completion": "…"} or {"messages": [{"role", "content"}, …]}, with the assistant's last.
DPO: {"prompt", "chosen", "rejected"} as texts; the prompt may be a list of messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agents.errors import InputError
from training.rows.filters import Leaks
from training.rows.labelled_rows import read_files

Kind = Literal["sft", "dpo"]
Text = str | list[dict[str, str]]
"""Plain text, or chat messages."""

_ROLES = frozenset({"system", "user", "assistant"})
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SpecialistRow:
    """Hold a prompt with its replies: one to learn, or for DPO the better and the worse one."""

    where: str
    prompt: Text
    replies: tuple[str, ...]


@dataclass(frozen=True)
class CheckedRows:
    """Hold the rows that can be trained on, and what is wrong with the others, by line."""

    rows: list[SpecialistRow]
    faults: list[str]


def check_rows(
    paths: Sequence[Path], kind: Kind, *, length: Callable[[SpecialistRow], int], most: int, leaks: Leaks
) -> CheckedRows:
    """Read `paths`, and separate the rows that cannot be trained on.

    Args:
        paths: JSON lines.
        kind: of training.
        length: returns the tokens of a row, with its longest reply.
        most: tokens that a row may have.
        leaks: texts that may not be learnt.
    """
    rows, faults = [], []
    for where, value in read_files(paths):
        try:
            row = _parsed(value, where, kind)
            _check(row, length, most, leaks)
        except _FaultError as fault:
            faults.append(f"{where}: {fault}")
        else:
            rows.append(row)
    return CheckedRows(rows, faults)


def usable(checked: CheckedRows, *, skip: bool) -> list[SpecialistRow]:
    """Return the good rows, unless there are bad ones that may not be skipped.

    Raises:
        InputError: names the first bad lines, or says that too few rows are left.
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
    """Say what is wrong with one row."""


def _parsed(value: dict[str, Any], where: str, kind: Kind) -> SpecialistRow:
    if kind == "dpo":
        return SpecialistRow(where, _prompt(value), (_text(value, "chosen"), _text(value, "rejected")))
    if "messages" not in value:
        return SpecialistRow(where, _prompt(value), (_text(value, "completion"),))
    messages = _messages(value["messages"])
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        raise _FaultError("the last message must be the assistant's, after at least one other.")
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
            raise _FaultError(f"{message!r:.60} is not a message of system, user or assistant.")
        if not message["content"].strip():
            raise _FaultError(f"a message with the role {message['role']} is empty.")
    return [{"role": message["role"], "content": message["content"]} for message in value]


def _check(row: SpecialistRow, length: Callable[[SpecialistRow], int], most: int, leaks: Leaks) -> None:
    if len(row.replies) == 2 and row.replies[0].strip() == row.replies[1].strip():
        raise _FaultError("chosen and rejected are the same.")
    if (tokens := length(row)) > most:
        raise _FaultError(f"too long: {tokens} tokens, and {most} are allowed.")
    said = row.prompt if isinstance(row.prompt, str) else "\n".join(m["content"] for m in row.prompt)
    for text in (said, *row.replies):
        if leaked := leaks.found(text):
            raise _FaultError(f"leaks an evaluation row: {leaked!r:.80}.")
