"""Read a chat model's reply: the answer, the thinking apart from it, calls, and why it ends.

Models think in a field of their own (`reasoning_content`, `reasoning`, a block of content) or in the text,
between `<think>` and `</think>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, ToolCall

REASONING = "reasoning_content"
_OPENING = re.compile(r"\s*(?:<(think|thinking|thought|reasoning)>|(\[THINK\]))", re.IGNORECASE)
_LONGEST = len("</reasoning>")
_FINISHES: Mapping[str, str] = {
    "length": "length",
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "content_filter": "content_filter",
    "SAFETY": "content_filter",
    "refusal": "content_filter",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
}
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?```\s*", re.DOTALL | re.IGNORECASE)


class Piece(NamedTuple):
    """Carry a piece of a reply: of the answer, or of the thinking."""

    thought: bool
    text: str


@dataclass
class Thinking:
    """Part a model's words, as they come, into what it thinks and what it answers."""

    _state: Literal["before", "inside", "after"] = field(default="before", init=False)
    _held: str = field(default="", init=False)
    _closing: str = field(default="", init=False)
    _thought: bool = field(default=False, init=False)

    def feed(self, text: str) -> Iterator[Piece]:
        """Yield what is sure after `text`; a tag that has only begun is held back."""
        self._held += text
        while self._held:
            before, held = self._state, self._held
            match self._state:
                case "before":
                    yield from self._open()
                case "inside":
                    yield from self._close()
                case "after":
                    yield from self._take(False, len(self._held))
            if (before, held) == (self._state, self._held):
                return

    def end(self) -> Iterator[Piece]:
        """Yield what was held back."""
        if self._held:
            yield from self._take(self._state == "inside", len(self._held))

    def _open(self) -> Iterator[Piece]:
        if self._thought:
            self._held = self._held.lstrip()
        if found := _OPENING.match(self._held):
            self._closing = f"</{found[1]}>" if found[1] else "[/THINK]"
            self._held = self._held[found.end() :]
            self._state, self._thought = "inside", True
        elif not _may_open(self._held):
            self._state = "after"
        yield from ()

    def _close(self) -> Iterator[Piece]:
        at = self._held.casefold().find(self._closing.casefold())
        if at >= 0:
            yield from self._take(True, at)
            self._held = self._held[len(self._closing) :]
            self._state = "before"  # some think twice
        else:
            yield from self._take(True, len(self._held) - len(self._closing) + 1)

    def _take(self, thought: bool, length: int) -> Iterator[Piece]:
        if length > 0:
            piece, self._held = self._held[:length], self._held[length:]
            yield Piece(thought, piece)


def _may_open(text: str) -> bool:
    begun = text.lstrip().casefold()
    tags = ("<think>", "<thinking>", "<thought>", "<reasoning>", "[think]")
    return len(begun) < _LONGEST and any(tag.startswith(begun) for tag in tags)


def reasoning_in(message: BaseMessage) -> str:
    """Return what a message, or a chunk of one, holds of the thinking in a field or block of its own."""
    own = message.additional_kwargs.get(REASONING)
    if isinstance(own, str):
        return own
    blocks = message.content if isinstance(message.content, list) else []
    said = (
        block.get(key)
        for block in blocks
        if isinstance(block, dict)
        for key in ("thinking", "reasoning")
        if block.get("type") == key
    )
    return "".join(text for text in said if isinstance(text, str))


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold what a model replied.

    Attributes:
        text: the answer.
        reasoning: what it thought before.
        calls: the tools that it calls.
        broken: calls whose arguments are no JSON object.
        finish: why it ends: stop, length, content_filter or tool_calls.
        refusal: why it refuses to answer; "" where it does not.
    """

    text: str
    reasoning: str = ""
    calls: Sequence[ToolCall] = ()
    broken: int = 0
    finish: str = "stop"
    refusal: str = ""

    @classmethod
    def of(cls, message: AIMessage) -> Reply:
        """Read a message."""
        text, thought = parted(str(message.text))
        told = message.response_metadata
        said = told.get("finish_reason") or told.get("stop_reason") or told.get("done_reason") or "stop"
        return cls(
            text,
            "\n\n".join(one.strip() for one in (reasoning_in(message), thought) if one.strip()),
            tuple(message.tool_calls),
            len(message.invalid_tool_calls),
            "tool_calls" if message.tool_calls else _FINISHES.get(str(said), "stop"),
            str(message.additional_kwargs.get("refusal") or ""),
        )


def parted(text: str) -> tuple[str, str]:
    """Return the answer and the thinking in a text; where the template opened it, only `</think>` shows."""
    before, closing, after = text.partition("</think>")
    if closing and "<think>" not in before.casefold() and not _OPENING.match(text):
        return after.lstrip(), before.strip()
    thinking = Thinking()
    pieces = [*thinking.feed(text), *thinking.end()]
    answer, thought = ("".join(one.text for one in pieces if one.thought is own) for own in (False, True))
    return answer, thought.strip()


def formed(text: str, form: Mapping[str, Any]) -> tuple[str, str]:
    """Return the text in the form that was asked for, and what is wrong with it; "" where nothing is.

    Args:
        text: of the model; a fence of Markdown around it is taken away.
        form: OpenAI's `response_format`.
    """
    from jsonschema.exceptions import SchemaError, ValidationError
    from jsonschema.validators import validator_for

    bare = fenced[1] if (fenced := _FENCED.fullmatch(text)) else text
    try:
        value = json.loads(bare)
    except ValueError as error:
        return text, f"it is not JSON: {error}"
    schema = (form.get("json_schema") or {}).get("schema")
    if not schema:
        return bare, "" if isinstance(value, dict) else "it is no JSON object"
    try:
        validator_for(schema)(schema).validate(value)
    except (ValidationError, SchemaError) as error:
        return text, f"it does not follow the schema: {error.message}"[:300]
    return bare, ""
