"""Read OpenAI's messages, of chat completions and of responses, as LangChain's, and the field `octopus`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence, Set
from typing import Annotated, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, Field

from agents.modalities import attachments_of, human, with_words
from agents.octopus.conversation.human_turns import clean_query
from app.server.errors import ApiError
from graphs.state import GraphContext

TEXT_PARTS = frozenset({"text", "input_text", "output_text", "refusal", "summary_text"})
_DATA = re.compile(r"data:(?P<kind>image/[\w.+-]{1,40});base64,(?P<data>.+)", re.DOTALL)
_FORMAT = re.compile(r"[a-z0-9]{2,8}")


class Part(BaseModel):
    """Describe a piece of content: text, an image or audio; other fields are ignored."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: Any = None
    input_audio: Any = None


class Message(BaseModel):
    """Describe one message; other fields are ignored."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_call_id: str | None = None


class Item(BaseModel):
    """Describe one item of a response's input: a message, or the result of a tool; others are passed over."""

    type: str = "message"
    role: Literal["system", "developer", "user", "assistant"] = "user"
    content: str | list[Part] | None = None
    call_id: str | None = None
    output: Any = None


Messages = Annotated[list[Message], Field(min_length=1, max_length=1000)]
Items = Annotated[list[Item], Field(min_length=1, max_length=1000)]


class RunOptions(GraphContext):
    """Describe the extension field `octopus`: a `GraphContext`, and the answer to what a run asked.

    Attributes:
        resume: continues a run that waits for a person: the answer to the first of its questions, or answers
            by their ids. Without it, the user's message is the answer.
    """

    resume: str | dict[str, str] | None = Field(default=None, max_length=4000)

    @property
    def context(self) -> GraphContext:
        """Return the context of the run."""
        return GraphContext.model_validate(self.model_dump(exclude={"resume"}, exclude_unset=True))


def read_messages(messages: Sequence[Message], most: int, reads: Set[str] = frozenset()) -> list[BaseMessage]:
    """Return the conversation, the question last.

    Args:
        messages: as they were sent.
        most: characters of the text of all together.
        reads: what the workers of the graph read besides text.

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
    """Return the conversation in the input of a response, as `read_messages` does for chat completions."""
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
    """Return the text and the attachments."""
    if not isinstance(content, list):
        return content or "", []
    attached = [attachment(part, reads) for part in content if part.type not in TEXT_PARTS]
    said = [part.text or part.refusal or "" for part in content if part.type in TEXT_PARTS]
    return "\n".join(said), attached


def attachment(part: Part, reads: Set[str]) -> dict[str, Any]:
    """Return an image or audio as LangChain's content block; the server fetches nothing.

    Args:
        part: as it was sent.
        reads: what the workers of the graph read besides text.

    Raises:
        ApiError: 400, nobody reads it, or it is not in the request itself.
    """
    found = _image(part) if part.type in ("image_url", "input_image") else _audio(part)
    kind = found["type"] if found else part.type
    if kind not in reads:
        raise _refused(f"Content of type {part.type[:40]!r} is not taken: no worker of this graph reads it.")
    if found is None or "base64" not in found:
        raise _refused("Send the file itself: an image as a data: URL, audio as base64 and its format.")
    try:
        base64.b64decode(found["base64"], validate=True)
    except (binascii.Error, ValueError):
        raise _refused(f"The {kind} is not base64.") from None
    return found


def _image(part: Part) -> dict[str, Any]:
    url = part.image_url.get("url") if isinstance(part.image_url, dict) else part.image_url
    match = _DATA.fullmatch(url) if isinstance(url, str) else None
    return {"type": "image", **({"base64": match["data"], "mime_type": match["kind"]} if match else {})}


def _audio(part: Part) -> dict[str, Any] | None:
    if part.type != "input_audio":
        return None
    given = part.input_audio if isinstance(part.input_audio, dict) else {}
    data, form = given.get("data"), given.get("format")
    sound = isinstance(data, str) and isinstance(form, str) and _FORMAT.fullmatch(form)
    return {"type": "audio", **({"base64": data, "mime_type": f"audio/{form}"} if sound else {})}


def _refused(why: str) -> ApiError:
    return ApiError(400, why, code="unsupported_content", param="messages")
