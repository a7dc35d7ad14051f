"""OpenAI's messages, of chat completions and of responses, as LangChain's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, Field

from agents.octopus.encoder import clean_query
from app.api.errors import ApiError

TEXT_PARTS = frozenset({"text", "input_text", "output_text", "refusal", "summary_text"})


class Part(BaseModel):
    """A piece of content; only text is taken."""

    type: str
    text: str | None = None
    refusal: str | None = None


class Message(BaseModel):
    """One message; fields that are not here are ignored."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_call_id: str | None = None


class Item(BaseModel):
    """One item of a response's input: a message, or the result of a tool; others are passed over."""

    type: str = "message"
    role: Literal["system", "developer", "user", "assistant"] = "user"
    content: str | list[Part] | None = None
    call_id: str | None = None
    output: Any = None


Messages = Annotated[list[Message], Field(min_length=1, max_length=1000)]
Items = Annotated[list[Item], Field(min_length=1, max_length=1000)]


def read_messages(messages: Sequence[Message], most: int) -> list[BaseMessage]:
    """The conversation, the question last.

    Args:
        messages: as they were sent.
        most: characters of all together.

    Raises:
        ApiError: 400, the last is not from the user or says nothing, there is an image, or it is too long.
        InputError: the question is not text.
    """
    read = [_read(message) for message in messages]
    if sum(len(message.text) for message in read) > most:
        raise ApiError(
            400,
            f"The messages have more than {most} characters.",
            code="context_length_exceeded",
            param="messages",
        )
    last = read[-1] if read else None
    if not isinstance(last, HumanMessage):
        raise ApiError(400, "The last message must be from the user.", code="invalid", param="messages")
    return [*read[:-1], HumanMessage(clean_query(str(last.text)))]


def read_items(items: str | Sequence[Item], instructions: str | None, most: int) -> list[BaseMessage]:
    """As `read_messages`, for the input of a response."""
    if isinstance(items, str):
        items = [Item(content=items)]
    messages = [Message(role="system", content=instructions)] if instructions else []
    for item in items:
        if item.type == "message":
            messages.append(Message(role=item.role, content=item.content))
        elif item.type.endswith("_output"):
            messages.append(Message(role="tool", content=str(item.output or ""), tool_call_id=item.call_id))
    return read_messages(messages, most)


def _read(message: Message) -> BaseMessage:
    text = _text(message.content)
    match message.role:
        case "user":
            return HumanMessage(text)
        case "assistant":
            return AIMessage(text)
        case "tool" | "function":
            return ToolMessage(text, tool_call_id=message.tool_call_id or "")
        case _:
            return SystemMessage(text)


def _text(content: str | list[Part] | None) -> str:
    if not isinstance(content, list):
        return content or ""
    for part in content:
        if part.type not in TEXT_PARTS:
            raise ApiError(
                400,
                f"Content of type {part.type[:40]!r} is not taken: the workers of this graph read text.",
                code="unsupported_content",
                param="messages",
            )
    return "\n".join(part.text or part.refusal or "" for part in content)
