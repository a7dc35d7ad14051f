"""Ask short conversations, as people type them, of the real server, and match its last answers.

A row is `{"id", "turns", "expect"[, "kind"]}`: `expect` is a regular expression for the last answer, and
`MODEL` in it means that a model must have been asked; see `evaluation.loopback.StrictModel`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args
from uuid import uuid4

from agents.errors import InputError
from evaluation.loopback import StrictModel, serving_app
from evaluation.report import Advance, Report, no_progress, plain, share, tabulate
from training.rows.labelled_rows import read_json_lines

if TYPE_CHECKING:
    from httpx import Client

Way: TypeAlias = Literal["history", "thread"]
"""How a client sends a conversation: all of it at every turn, or the new turn of a kept thread."""

Row: TypeAlias = Mapping[str, Any]
MakeServer: TypeAlias = Callable[[str], Any]
"""Builds the ASGI application that is asked, every worker of it with the model of this reference."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Hold what came of one conversation.

    Attributes:
        row: the conversation.
        way: how it was sent.
        answer: the last one.
        path: the nodes that the last turn went through.
        fault: why it was no answer, or what a worker's model was sent wrongly; "" if nothing was wrong.
    """

    row: Row
    way: Way
    answer: str
    path: tuple[str, ...] = ()
    fault: str = ""

    @property
    def right(self) -> bool:
        """Return whether the answer is as expected."""
        return not self.fault and re.search(self.row["expect"], self.answer) is not None


def read_people(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Read conversations.

    Raises:
        InputError: a file cannot be read, or a row has another form.
    """
    rows = []
    for file in files:
        for number, row in read_json_lines(file):
            turns, expect = row.get("turns"), row.get("expect")
            try:
                if not (turns and isinstance(turns, list) and all(isinstance(turn, str) for turn in turns)):
                    raise ValueError("`turns` is no list of texts")
                if not (isinstance(expect, str) and isinstance(row.get("id"), str)):
                    raise ValueError("`id` or `expect` is no text")
                re.compile(expect)
            except (ValueError, re.error) as error:
                form = 'Write {"id": "…", "turns": ["…"], "expect": "a regular expression"}.'
                raise InputError(f"{file}:{number}: {error}.", hint=form) from error
            rows.append(row)
    return rows


def ask_people(
    rows: Sequence[Row],
    make_server: MakeServer,
    *,
    ways: Sequence[Way] = get_args(Way),
    model: str = "mmlu",
    advance: Advance = no_progress,
) -> list[Heard]:
    """Ask every conversation in each of the `ways` of one server, turn by turn."""
    from httpx import Client

    strict, heard = StrictModel(), []
    with (
        strict.serving() as reference,
        serving_app(make_server(reference)) as url,
        Client(base_url=url, timeout=120, trust_env=False) as client,
    ):
        for way in ways:
            for row in rows:
                heard.append(_ask(client, row, way, model, strict))
                advance(1 / (len(ways) * len(rows)))
    return heard


def _ask(client: Client, row: Row, way: Way, model: str, strict: StrictModel) -> Heard:
    messages: list[dict[str, str]] = []
    headers = {"X-Octopus-Thread": uuid4().hex} if way == "thread" else {}
    answer, path = "", ()
    strict.refused.clear()
    for turn in row["turns"]:
        messages.append({"role": "user", "content": turn})
        sent = messages[-1:] if way == "thread" else messages
        reply = client.post("/v1/chat/completions", json={"model": model, "messages": sent}, headers=headers)
        if reply.status_code != 200:
            return Heard(row, way, "", fault=f"status {reply.status_code}: {reply.text}")
        told = reply.json()
        answer, path = told["choices"][0]["message"]["content"], tuple(told["octopus"]["path"])
        messages.append({"role": "assistant", "content": answer})
    return Heard(row, way, answer, path, "; ".join(strict.refused))


def evaluate_people(
    rows: Sequence[Row],
    make_server: MakeServer,
    *,
    model: str = "mmlu",
    told: bool = True,
    advance: Advance = no_progress,
) -> Report:
    """Measure the share of conversations whose last answer is right, by kind.

    Args:
        rows: the conversations.
        make_server: see `MakeServer`.
        model: the graph that is asked.
        told: whether the report names those that failed; False keeps sealed rows sealed.
        advance: a progress bar.
    """
    heard = ask_people(rows, make_server, model=model, advance=advance)
    kinds = dict.fromkeys(row["kind"] for row in rows if "kind" in row)
    groups = {kind: [one for one in heard if one.row.get("kind") == kind] for kind in kinds} | {"all": heard}
    found = {kind: {way: _share(own, way) for way in get_args(Way)} for kind, own in groups.items()}
    columns = {way: partial(_cell, way) for way in get_args(Way)}
    text = tabulate("conversations, % right", groups, {"rows": _count, **columns})
    figures: dict[str, Any] = {"rows": len(rows), "right": found}
    if told and (failed := [one for one in heard if not one.right]):
        text += "\n\nNot right:\n\n" + "\n".join(map(_line, failed))
        figures["failed"] = [f"{one.row['id']} ({one.way})" for one in failed]
    return Report("people", text, plain(figures))


def _count(heard: Sequence[Heard]) -> str:
    return str(len({one.row["id"] for one in heard}))


def _share(heard: Sequence[Heard], way: Way) -> float:
    return mean(one.right for one in heard if one.way == way)


def _cell(way: Way, heard: Sequence[Heard]) -> str:
    return share(_share(heard, way))


def _line(one: Heard) -> str:
    shown = " ".join((one.fault or one.answer).split())[:120]
    nodes = " → ".join(one.path) or "nobody"
    return f"- {one.row['id']} ({one.way}), last turn {one.row['turns'][-1]!r}, {nodes}: {shown}"
