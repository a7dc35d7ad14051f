"""Read conversations from rows: texts or messages, who answered before, and what the last turn is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, convert_to_messages

from agents.errors import InputError, OctopusGraphError
from agents.octopus.conversation.human_turns import Turn, clean_turns, human_turns
from agents.types import NodeName
from graphs.spec import GraphSpec
from graphs.spec_file import load_spec
from graphs.task_graph import import_task_graph
from training.rows.labelled_rows import read_json_lines

_FORMS = '"query" (one text), "turns" (texts of the user) or "messages" (as OpenAI writes them)'


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Hold a conversation whose last turn has a right answer.

    Attributes:
        turns: of the user, with the replies to them.
        accepted: the nodes that may have the last one.
        follows: whether it stays with the node before; None for a first turn.
        conversation: what rows of the same conversation have in common.
    """

    turns: tuple[Turn, ...]
    accepted: frozenset[str]
    follows: bool | None
    conversation: str


def said_in(row: Mapping[str, Any], place: str) -> list[Turn]:
    """Return the turns of a row with `messages`, `turns` or `query`, and perhaps `node`, who answered before.

    Args:
        row: its fields; of several forms, the first one in that order counts.
        place: where the row stands, for messages.

    Raises:
        OctopusGraphError: the row has no such field, or it is of another form.
        InputError: the last turn cannot be routed.
    """
    if "messages" in row:
        turns = human_turns(_messages(row["messages"], place))
    else:
        texts = row.get("turns", [row.get("query")])
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise OctopusGraphError(f"{place}: a row needs {_FORMS}.")
        turns = clean_turns(texts)
    node = row.get("node")
    if node is not None and not isinstance(node, str):
        raise OctopusGraphError(f'{place}: "node", who answered before, is a name, not {node!r}.')
    if node and len(turns) > 1:
        turns[-2] = replace(turns[-2], node=NodeName(node))
    return turns


def _messages(said: Any, place: str) -> list[BaseMessage]:
    if not isinstance(said, list) or not said:
        raise OctopusGraphError(f'{place}: "messages" is a list of messages, as OpenAI writes them.')
    try:
        messages = convert_to_messages(said)
    except (ValueError, TypeError, NotImplementedError, KeyError, AttributeError) as error:
        raise OctopusGraphError(f'{place}: "messages" cannot be read: {error}') from error
    if not isinstance(messages[-1], HumanMessage):
        raise OctopusGraphError(f"{place}: the last of the messages must be the user's.")
    return messages


def read_dialogues(path: Path) -> list[Dialogue]:
    """Return the dialogues of a file of rows with `messages`, `kind`, `accept` and `id`.

    Raises:
        InputError: a row lacks one of them.
    """
    found = []
    for number, row in read_json_lines(path):
        try:
            kind, accepted = str(row["kind"]), frozenset(row["accept"])
            conversation = str(row["id"]).rpartition("/")[0]
        except KeyError as error:
            raise InputError(f"{path}:{number}: the row has no {error}.") from error
        turns = tuple(said_in(row, f"{path}:{number}"))
        follows = None if kind == "first" else kind == "follow-up"
        found.append(Dialogue(turns, accepted, follows, conversation))
    return found


def own_dialogues(path: Path) -> list[Dialogue]:
    """Return every later turn of rows with `turns` and a node for each of them in `nodes`."""
    found = []
    for _, row in read_json_lines(path):
        turns, nodes = clean_turns(row["turns"]), row["nodes"]
        for end in range(1, len(turns)):
            follows = nodes[end] == nodes[end - 1]
            said = tuple(turns[: end + 1])
            found.append(Dialogue(said, frozenset({nodes[end]}), follows, turns[0].text))
    return found


def task_graph_spec(file: Path) -> GraphSpec:
    """Return the spec of a task graph, without keeping it."""
    with TemporaryDirectory() as folder:
        spec = Path(folder) / f"{file.stem}.yaml"
        import_task_graph(file, spec)
        return load_spec(spec)
