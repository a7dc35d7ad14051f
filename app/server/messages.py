"""Read OpenAI's messages, of chat completions and of responses, as LangChain's.

Only the last turn is refused for what is wrong with it, since that is what its client can mend: of earlier
ones halves of characters are replaced, and what nobody reads is left out, as are calls of tools without
results. The answer says what was left out. What a model thought is no part of a conversation: passed over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolCall, ToolMessage
from langchain_core.messages.tool import tool_call
from pydantic import BeforeValidator, Field

from agents.errors import InputError
from agents.modalities import attachments_of, human, with_words
from agents.octopus.conversation.human_turns import clean_query
from app.server.content import LeftOut, mended, read_content
from app.server.errors import ApiError
from app.server.parameters import FunctionName, Strict, Unsupported, only

_ITEMS = ("message", "function_call", "function_call_output", "reasoning", "item_reference")
_MOST = 4096  # messages of a request
_NO_RESULT = (  # OpenAI's words, for who looks them up
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
    "'tool_call_id'. The following tool_call_ids did not have response messages: "
)


def _mend_past(messages: Any) -> Any:
    return [*map(mended, messages[:-1]), *messages[-1:]] if isinstance(messages, list) else messages


class Called(Strict):
    """Describe what an assistant called; `parsed_arguments` is what the official client made of it."""

    name: FunctionName
    arguments: str
    parsed_arguments: Any = None


class Call(Strict):
    """Describe an assistant's call of a tool; `index` is what streams say, and is not needed."""

    id: str = Field(min_length=1, max_length=256)
    type: Annotated[str, only("function")] = "function"
    function: Called
    index: int | None = None


class Message(Strict):
    """Describe one message.

    Attributes:
        name: who of several people says it; threads keep it, and no model is told it.
        reasoning_content, reasoning, annotations, parsed: of an assistant; passed over.
    """

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Any = None
    name: str | None = Field(default=None, max_length=256)
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    annotations: Any = None
    parsed: Any = None
    audio: Unsupported = None
    function_call: Unsupported = None


class Item(Strict):
    """Describe one item of a response's input: a message, a call or its result; reasoning is passed over.

    An `item_reference` names an item of an earlier response.
    """

    type: Annotated[str, only(*_ITEMS)] = "message"
    id: str | None = None
    status: str | None = None
    role: Literal["system", "developer", "user", "assistant"] = "user"
    content: Any = None
    phase: Any = None
    call_id: str | None = Field(default=None, min_length=1, max_length=256)
    name: FunctionName | None = None
    arguments: str = "{}"
    output: Any = None
    summary: Any = None
    encrypted_content: Any = None


def _as_items(given: Any) -> Any:
    return [{"content": given}] if isinstance(given, str) else given


Messages = Annotated[list[Message], BeforeValidator(_mend_past), Field(min_length=1, max_length=_MOST)]
Items = Annotated[
    list[Item],
    BeforeValidator(_mend_past),
    BeforeValidator(_as_items),
    Field(min_length=1, max_length=_MOST),
]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Hold a conversation.

    Attributes:
        messages: the question or the results of tools last; instructions may stand anywhere before.
        left_out: what nobody reads of earlier turns: where it was, and its type.
    """

    messages: list[BaseMessage]
    left_out: LeftOut = field(default_factory=list)


Placed = tuple[str, Message]
"""A message with the field that it stands in."""


def read_messages(
    sent: Sequence[Message], most: int, reads: Set[str] = frozenset(), *, goes_on: bool = False
) -> Conversation:
    """Return the conversation.

    Args:
        sent: as it was sent.
        most: characters of the question.
        reads: what the workers of the graph read besides text.
        goes_on: whether a thread may hold the calls whose results are sent.

    Raises:
        ApiError: 400, the last turn is none, empty, too long, or nobody reads it; calls and results differ.
    """
    placed = [(f"messages.{index}", message) for index, message in enumerate(sent)]
    return _conversation(placed, "messages", most, reads, goes_on)


def read_items(
    items: Sequence[Item],
    instructions: str | None,
    most: int,
    reads: Set[str] = frozenset(),
    *,
    goes_on: bool = False,
) -> Conversation:
    """Return the conversation in the input of a response, as `read_messages` does for chat completions."""
    placed: list[Placed] = []
    if instructions is not None:
        placed.append(("instructions", Message(role="system", content=instructions)))
    for index, item in enumerate(items):
        place = f"input.{index}"
        if item.type == "function_call":
            placed = _with_call(placed, place, item)
        elif item.type == "function_call_output":
            placed.append((place, Message(role="tool", content=item.output, tool_call_id=item.call_id)))
        elif item.type == "message":
            placed.append((place, Message(role=item.role, content=item.content)))
    return _conversation(placed, "input", most, reads, goes_on)


def _with_call(placed: list[Placed], place: str, item: Item) -> list[Placed]:
    """Add a call to what the assistant just said: one turn may call several tools, and say something."""
    if item.call_id is None or item.name is None:
        raise _wrong(place, "A call has a call_id and a name")
    call = Call(id=item.call_id, function=Called(name=item.name, arguments=item.arguments))
    if placed and placed[-1][1].role == "assistant":
        *placed, (place, before) = placed
        return [
            *placed,
            (place, before.model_copy(update={"tool_calls": [*(before.tool_calls or ()), call]})),
        ]
    return [*placed, (place, Message(role="assistant", tool_calls=[call]))]


def _conversation(
    placed: list[Placed], field: str, most: int, reads: Set[str], goes_on: bool
) -> Conversation:
    below = len(placed)
    while below and placed[below - 1][1].role in ("system", "developer"):
        below -= 1  # instructions may stand below the question, as some pages send them
    placed = [*placed[below:], *placed[:below]]
    if not below or placed[-1][1].role not in ("user", "tool"):
        raise _wrong(field, "The last message must be from the user or a tool")
    left_out: LeftOut = []
    read = [(place, _read(place, message, reads, left_out)) for place, message in placed[:-1]]
    read.append((placed[-1][0], _last(*placed[-1], most, reads)))
    return Conversation(_with_results(read, left_out, goes_on), left_out)


def _last(place: str, message: Message, most: int, reads: Set[str]) -> BaseMessage:
    read = _read(place, message, reads, None)
    if not isinstance(read, HumanMessage):
        return read
    if len(read.text) > most:
        why = f"The question has more than {most} characters."
        raise ApiError(400, why, code="context_length_exceeded", param=place)
    asked = with_words(read)
    try:
        text = clean_query(str(asked.text))
    except InputError as error:
        raise ApiError(400, str(error), code="invalid", param=place) from error
    return _person(text, attachments_of(asked), message.name)


def _read(place: str, message: Message, reads: Set[str], left_out: LeftOut | None) -> BaseMessage:
    """Return one message; without `left_out` it is refused for what nobody reads."""
    if message.tool_calls and message.role != "assistant":
        raise _wrong(f"{place}.tool_calls", "Only an assistant calls tools")
    readable = reads if message.role == "user" else frozenset()
    text, attached = read_content(message.content, f"{place}.content", readable, left_out)
    if message.role == "user":
        return _person(text, attached, message.name)
    text = mended(text)
    match message.role:
        case "assistant":
            calls = [_tool_call(call) for call in message.tool_calls or ()]
            return AIMessage(text or message.refusal or "", tool_calls=calls)
        case "tool":
            if not message.tool_call_id:
                raise _wrong(f"{place}.tool_call_id", "A result names its call")
            return ToolMessage(text, tool_call_id=message.tool_call_id)
        case _:
            return SystemMessage(text)


def _person(text: str, attached: Sequence[dict[str, Any]], name: str | None) -> HumanMessage:
    message = human(text, attached)
    message.name = name
    return message


def _tool_call(call: Call) -> ToolCall:
    """Return a call; arguments that are no JSON object, as models err, become the one of an object."""
    said = call.function.arguments
    try:
        arguments = json.loads(said or "{}")
    except ValueError:
        arguments = None
    kept = arguments if isinstance(arguments, dict) else {"arguments": said}
    return tool_call(name=call.function.name, args=kept, id=call.id)


def _with_results(read: list[tuple[str, BaseMessage]], left_out: LeftOut, goes_on: bool) -> list[BaseMessage]:
    """Return the messages with a result for every call, right behind it, and no result without a call.

    Raises:
        ApiError: 400, that is not so since the question before the last turn.
    """
    asked = [index for index, (_, one) in enumerate(read[:-1]) if isinstance(one, HumanMessage)]
    recent = asked[-1] + 1 if asked else 0
    called: dict[int, list[str]] = {}  # what has no result yet, by the message that calls
    caller = -1
    kept: dict[int, BaseMessage] = {}
    for index, (place, message) in enumerate(read):
        kept[index] = message
        if isinstance(message, ToolMessage):
            if message.tool_call_id in called.get(caller, ()):
                called[caller].remove(message.tool_call_id)
            elif not goes_on or caller >= 0:  # else what called it is in the thread
                if index >= recent:
                    raise _wrong(f"{place}.tool_call_id", "No call right before it has this id")
                left_out.append({"param": place, "type": "tool"})
                del kept[index]
        elif not isinstance(message, SystemMessage):
            caller = index
            calls = message.tool_calls if isinstance(message, AIMessage) else []
            called[index] = [str(call["id"]) for call in calls]
    for index, ids in called.items():
        if ids and index >= recent:
            raise _wrong(read[index][0], f"{_NO_RESULT}{', '.join(ids)[:200]}")
        if ids:
            left_out.append({"param": read[index][0], "type": "tool_calls"})
            kept[index] = _without(read[index][1], ids)
    return list(kept.values())


def _without(message: BaseMessage, ids: Sequence[str]) -> BaseMessage:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    return AIMessage(message.text, tool_calls=[call for call in calls if call["id"] not in ids])


def _wrong(param: str, why: str) -> ApiError:
    return ApiError(400, f"{why}.", code="invalid", param=param)
