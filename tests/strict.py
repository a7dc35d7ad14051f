"""What a strict model server refuses in a chat completion, as vLLM, llama.cpp and chat templates do.

One system message, first; then user and assistant in turn, the user first. An assistant that calls tools is
followed by the results of these calls, each once, and then speaks again. The last turn is the user's or a
tool's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from jsonschema import SchemaError
from pydantic import ValidationError

from tests.field_tables import (
    AssistantTurn,
    AudioPart,
    ChatCompletion,
    ImagePart,
    TextPart,
    ToolTurn,
    Turn,
)

_NEXT = {
    "": ("system", "user"),
    "system": ("user",),
    "user": ("assistant",),
    "assistant": ("user",),
    "tool": ("assistant",),
}


def fault_of(body: Any, reads: Collection[str] = ()) -> str:
    """Why a strict server refuses the request, or "".

    Args:
        body: the JSON of the request.
        reads: what its model reads beside text: "image", "audio".
    """
    try:
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        asked = ChatCompletion.model_validate(body)
    except UnicodeEncodeError:
        return "the body has half of a surrogate pair"
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        fault = max(faults, key=lambda one: len(one["loc"]))
        return f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}"
    except (SchemaError, ValueError) as error:
        return str(error).splitlines()[0]
    return _content_fault(asked.messages, reads) or _order_fault(asked.messages)


def _content_fault(turns: Sequence[Turn], reads: Collection[str]) -> str:
    for place, turn in enumerate(turns):
        parts = turn.content if isinstance(turn.content, list) else []
        if any(isinstance(part, ImagePart) for part in parts) and "image" not in reads:
            return f"message {place} has an image, and this model reads text"
        if any(isinstance(part, AudioPart) for part in parts) and "audio" not in reads:
            return f"message {place} has audio, and this model reads text"
        said = turn.content if isinstance(turn.content, str) else " ".join(map(_text, parts))
        called = isinstance(turn, ToolTurn) or (isinstance(turn, AssistantTurn) and turn.tool_calls)
        if not said.strip() and not called:
            return f"message {place} is empty"
    return ""


def _text(part: TextPart | ImagePart | AudioPart) -> str:
    return part.text if isinstance(part, TextPart) else part.type


def _order_fault(turns: Sequence[Turn]) -> str:
    before, waiting = "", set[str]()
    for place, turn in enumerate(turns):
        if waiting:
            if not isinstance(turn, ToolTurn) or turn.tool_call_id not in waiting:
                return f"message {place} is not the result of {sorted(waiting)}"
            waiting.remove(turn.tool_call_id)
        elif turn.role not in _NEXT[before]:
            return f"message {place} is of {turn.role} after {before or 'nothing'}"
        elif isinstance(turn, AssistantTurn) and turn.tool_calls:
            if fault := _calls_fault(turn):
                return f"message {place}: {fault}"
            waiting = {call.id for call in turn.tool_calls}
        before = turn.role
    if waiting:
        return f"the results of {sorted(waiting)} are missing"
    return "" if before in ("user", "tool") else f"the last message is of {before}"


def _calls_fault(turn: AssistantTurn) -> str:
    if len({call.id for call in turn.tool_calls}) < len(turn.tool_calls):
        return "two calls have one id"
    for call in turn.tool_calls:
        try:
            given = json.loads(call.function.arguments)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return f"the arguments of {call.function.name} are no JSON object"
    return ""
