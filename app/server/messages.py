"""OpenAI's messages, of chat completions and of responses, as LangChain's."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Annotated, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, Field

from agents.modalities import attachments_of, human, with_words
from agents.octopus.conversation.human_turns import clean_query
from app.server.attachments import Part, attachment
from app.server.errors import ApiError

TEXT_PARTS = frozenset({"text", "input_text", "output_text", "refusal", "summary_text"})


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


def read_messages(messages: Sequence[Message], most: int, reads: Set[str] = frozenset()) -> list[BaseMessage]:
    """The conversation, the question last.

    Args:
        messages: as they were sent.
        most: characters of the text of all together.
        reads: what the workers of the graph read beside text.

    Raises:
        ApiError: 400, the last is not a question of the user, nobody reads an attachment, or it is too long.
        InputError: the question is not text.
    """
    read = [_read(message, reads) for message in messages]
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
    asked = with_words(last)
    return [*read[:-1], human(clean_query(str(asked.text)), attachments_of(asked))]


def read_items(
    items: str | Sequence[Item], instructions: str | None, most: int, reads: Set[str] = frozenset()
) -> list[BaseMessage]:
    """As `read_messages`, for the input of a response."""
    if isinstance(items, str):
        items = [Item(content=items)]
    messages = [Message(role="system", content=instructions)] if instructions else []
    for item in items:
        if item.type == "message":
            messages.append(Message(role=item.role, content=item.content))
        elif item.type.endswith("_output"):
            messages.append(Message(role="tool", content=str(item.output or ""), tool_call_id=item.call_id))
    return read_messages(messages, most, reads)


def _read(message: Message, reads: Set[str]) -> BaseMessage:
    text, attached = _content(message.content, reads)
    match message.role:
        case "user":
            return human(text, attached)
        case "assistant":
            return AIMessage(text)
        case "tool" | "function":
            return ToolMessage(text, tool_call_id=message.tool_call_id or "")
        case _:
            return SystemMessage(text)


def _content(content: str | list[Part] | None, reads: Set[str]) -> tuple[str, list[dict[str, Any]]]:
    """The text, and the attachments."""
    if not isinstance(content, list):
        return content or "", []
    attached = [attachment(part, reads) for part in content if part.type not in TEXT_PARTS]
    said = [part.text or part.refusal or "" for part in content if part.type in TEXT_PARTS]
    return "\n".join(said), attached
