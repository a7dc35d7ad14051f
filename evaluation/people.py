"""Ask short conversations, as people type them, of the real server, and match its last answers.

A row is `{"id", "turns", "expect"[, "kind"]}`: `expect` is a regular expression for the last answer, and
`MODEL` in it means that a model must have been asked; see `evaluation.loopback.StrictModel`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from evaluation.loopback import StrictModel, serving_app
from evaluation.report import Advance, Report, no_progress, plain, share, table

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
    headers = {"X-Octopus-Thread": row["id"]} if way == "thread" else {}
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
    kinds = list(dict.fromkeys(row.get("kind", "conversations") for row in rows))
    shares = {
        way: {kind: _share(heard, way, kind) for kind in (*kinds, None)}
        for way in dict.fromkeys(h.way for h in heard)
    }
    ways = list(shares)
    counts = {kind: sum(row.get("kind", "conversations") == kind for row in rows) for kind in kinds}
    lines = [
        [kind or "all", str(counts.get(kind or "", len(rows))), *(share(shares[way][kind]) for way in ways)]
        for kind in (*kinds, None)
    ]
    parts = [table(("conversations, % right", "rows", *ways), lines)]
    failed = [one for one in heard if not one.right]
    if told and failed:
        parts += ["Not right:", "\n".join(map(_line, failed))]
    figures: dict[str, Any] = {
        "rows": len(rows),
        "right": {way: {kind or "all": value for kind, value in own.items()} for way, own in shares.items()},
    }
    if told:
        figures["failed"] = {way: [one.row["id"] for one in failed if one.way == way] for way in ways}
    return Report("people", "\n\n".join(parts), plain(figures))


def _share(heard: Sequence[Heard], way: Way, kind: str | None) -> float | None:
    own = [
        one.right for one in heard if one.way == way and kind in (None, one.row.get("kind", "conversations"))
    ]
    return sum(own) / len(own) if own else None


def _line(one: Heard) -> str:
    shown = " ".join((one.fault or one.answer).split())[:120]
    nodes = " → ".join(one.path) or "nobody"
    return f"- {one.row['id']} ({one.way}), last turn {one.row['turns'][-1]!r}, {nodes}: {shown}"
