"""Write a conversation as strict chat templates take it (Mistral's, Gemma's, Llama's).

One system message stands first; then user and assistant alternate, the user first and last, and no turn is
empty. Servers refuse a request that is otherwise, so that one odd turn long ago would lock the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolMessage

from agents.modalities import attachments_of, human
from agents.types import COMPUTED, UNANSWERED

_CALL = re.compile(rf"\n{COMPUTED} [^\n]+")  # a small model takes it for the way to answer


def chat_messages(said: Sequence[BaseMessage], prompt: str = "") -> list[BaseMessage]:
    """Return a conversation as strict chat templates take it.

    What no worker said (see `UNANSWERED`), empty turns, and what an assistant said before the first question
    are left out; of a computed answer the value stays. Turns of one role in a row are joined. A tool's result
    is told in the user's turn.

    Args:
        said: the messages, the question last.
        prompt: the worker's own system prompt; the conversation's system messages follow it.
    """
    told = [prompt, *(str(message.text) for message in said if isinstance(message, SystemMessage))]
    turns: list[BaseMessage] = []
    for message in said:
        if isinstance(message, SystemMessage) or message.additional_kwargs.get(UNANSWERED):
            continue
        turn = _turn(message)
        if turns and turns[-1].type == turn.type:
            turns[-1] = _joined(turns[-1], turn)
        elif not _is_empty(turn) and (turns or turn.type == "human"):
            turns.append(turn)
    system = _clean("\n\n".join(text.strip() for text in told if text.strip()))
    return [SystemMessage(system), *turns] if system else turns


def _turn(message: BaseMessage) -> BaseMessage:
    """Return the message with its text and attachments only: servers refuse names and fields of others."""
    text = _clean(str(message.text))
    if isinstance(message, AIMessage):
        return AIMessage(_CALL.sub("", text))
    if isinstance(message, ToolMessage):
        text = f"[Result of a tool: {text}]" if text.strip() else ""
    return human(text, attachments_of(message))


def _joined(first: BaseMessage, second: BaseMessage) -> BaseMessage:
    text = "\n\n".join(text for one in (first, second) if (text := str(one.text)).strip())
    if isinstance(first, AIMessage):
        return AIMessage(text)
    return human(text, [*attachments_of(first), *attachments_of(second)])


def _is_empty(message: BaseMessage) -> bool:
    return not str(message.text).strip() and not attachments_of(message)


def _clean(text: str) -> str:
    """Return the text as UTF-8 holds it: halves of surrogate pairs are put together, or replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
