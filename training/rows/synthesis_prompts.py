"""Word what the chat model is asked when it makes rows, and read its replies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

NONE = "none"
"""The model's word for "no worker fits", and the name of the batches of such rows."""

STYLES = (
    "a short everyday question",
    "a precise question of an expert, with figures and names",
    "a long story with the question at its end",
    "an exam question",
    "a command in a few words",
    "a chat message with typing errors and no capitals",
)

_WRITER = (
    "You write realistic things that people ask an assistant. "
    'Reply with a JSON list of {count} different strings in {language} and nothing else: ["…", "…"].'
)
_JUDGE = (
    "You sort queries. These are the assistants:\n{workers}\n"
    "For each numbered query say which assistant should answer it, or none where nobody can. Reply with a "
    "JSON list of {count} names and nothing else."
)
_REWRITER = (
    "You rewrite queries for one assistant: {description}\n"
    "Say in its register, complete and unambiguous, what the query asks. Keep the language and every number, "
    "unit, name, negation, quotation and piece of code. Do not answer. Reply with a JSON list of {count} "
    "strings, one for each numbered query, in order, and nothing else."
)
_NUMBERED = re.compile(r"^\s*(?:[-*•]|\(?\d{1,3}[.):])\s+")

Messages = list[tuple[str, str]]
"""(role, text) pairs, as LangChain takes them."""


def write_queries(
    description: str, examples: Sequence[str], *, count: int, style: str, language: str
) -> Messages:
    """Ask for queries to a worker, given some that it gets."""
    shown = "".join(f"\n- {example}" for example in examples)
    asked = (
        f"The assistant: {description.strip()}\nWhat people ask it, for example:{shown or ' (nothing yet)'}"
    )
    return _chat(
        _WRITER.format(count=count, language=language),
        f"{asked}\n\nWrite {count} more. Each is {style}. Do not repeat the examples.",
    )


def write_negatives(workers: Mapping[str, str], *, count: int, style: str, language: str) -> Messages:
    """Ask for queries that no worker fits."""
    asked = f"Write {count} things that none of them can do. Each is {style}."
    return _chat(
        _WRITER.format(count=count, language=language),
        f"These assistants exist:\n{_listed(workers)}\n\n{asked}",
    )


def sort_queries(workers: Mapping[str, str], queries: Sequence[str]) -> Messages:
    """Ask which worker each query is for."""
    return _chat(_JUDGE.format(workers=_listed(workers), count=len(queries)), _numbered(queries))


def rewrite_queries(description: str, queries: Sequence[str]) -> Messages:
    """Ask for the queries in the worker's register."""
    system = _REWRITER.format(description=description.strip(), count=len(queries))
    return _chat(system, _numbered(queries))


def read_list(text: str) -> list[str]:
    """Read the strings of a reply: a JSON list, fenced or within prose, or else a list with one per line."""
    for match in re.finditer(r"\[", text):
        try:
            value, _ = json.JSONDecoder().raw_decode(text, match.start())
        except ValueError:
            continue
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return [item.strip() for item in value]
    lines = [line for line in text.splitlines() if _NUMBERED.match(line)]
    return [_NUMBERED.sub("", line).strip().strip('"') for line in lines]


def _listed(workers: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {' '.join(text.split())[:300]}" for name, text in workers.items())


def _chat(system: str, user: str) -> Messages:
    return [("system", system), ("human", user)]


def _numbered(queries: Sequence[Any]) -> str:
    return "\n".join(f"{k}. {json.dumps(query, ensure_ascii=False)}" for k, query in enumerate(queries, 1))
