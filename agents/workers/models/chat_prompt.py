"""Write conversations as strict chat templates take them (Mistral's, Gemma's, Llama's), and as token ids.

One system message stands first; then user and assistant alternate, the user (or a tool) last, and no turn is
empty. Servers refuse a request that is otherwise, so that one odd turn long ago would lock the conversation.
A model in this process gets ids by its own template, and no text passes for a control token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolCall, ToolMessage

from agents.errors import InputError
from agents.modalities import attachments_of, human
from agents.types import COMPUTED, UNANSWERED

_CALL = re.compile(rf"\n{COMPUTED} [^\n]+")  # a small model takes it for the way to answer


def chat_messages(said: Sequence[BaseMessage], prompt: str = "", *, calls: bool = False) -> list[BaseMessage]:
    """Return a conversation as strict chat templates take it.

    What no worker said (see `UNANSWERED`), empty turns, and what an assistant said before the first question
    are left out; of a computed answer the value stays. Turns of one role in a row are joined. Calls of tools
    stand with all their results, in their order, before what the assistant says to them; others are told in
    the user's turn.

    Args:
        said: the messages, the question or the results of tools last.
        prompt: the worker's own system prompt; the conversation's system messages follow it.
        calls: whether the model is offered tools, so that it knows calls from text.
    """
    told = [prompt, *(str(message.text) for message in said if isinstance(message, SystemMessage))]
    kept = [m for m in said if not isinstance(m, SystemMessage) and not m.additional_kwargs.get(UNANSWERED)]
    turns: list[BaseMessage] = []
    for turn in _turns_of(kept, calls):
        if turn.type == "tool":
            turns.append(turn)
        elif turns and turns[-1].type == turn.type:
            turns[-1] = _joined(turns[-1], turn)
        elif not _is_empty(turn) and (turns or turn.type == "human"):
            turns.append(turn)
    system = _clean("\n\n".join(text.strip() for text in told if text.strip()))
    return [SystemMessage(system), *turns] if system else turns


def _turns_of(said: Sequence[BaseMessage], calls: bool) -> Iterator[BaseMessage]:
    """Yield the messages with what a model reads of them, calls and results in the form that it knows."""
    asked, at = False, 0
    names: dict[str | None, str] = {}
    while at < len(said):
        message, at = said[at], at + 1
        asked = asked or (message.type == "human" and not _is_empty(message))
        if not isinstance(message, AIMessage) or not message.tool_calls:
            yield _plain_turn(message, names)
            continue
        names = {call["id"]: call["name"] for call in message.tool_calls}
        if calls and asked and _stand(message, said[at:]):
            results = {m.tool_call_id: m for m in _results(said[at:])}
            yield AIMessage(_clean(str(message.text)), tool_calls=_plain_calls(message.tool_calls))
            for name in names:
                yield ToolMessage(_clean(str(results[str(name)].text)), tool_call_id=str(name))
            at += len(results)
        else:
            yield _plain_turn(message, names)


def _stand(caller: AIMessage, after: Sequence[BaseMessage]) -> bool:
    """Return whether calls have one result each, and the assistant says something to them or is to."""
    results = [message.tool_call_id for message in _results(after)]
    if sorted(results) != sorted(str(call["id"]) for call in caller.tool_calls):
        return False
    following = after[len(results) :]
    if not following or not isinstance(following[0], AIMessage):
        return not following
    return bool(str(following[0].text).strip()) or _stand(following[0], following[1:])


def _results(said: Sequence[BaseMessage]) -> Iterator[ToolMessage]:
    for message in said:
        if not isinstance(message, ToolMessage):
            return
        yield message


def _plain_calls(calls: Sequence[ToolCall]) -> list[ToolCall]:
    return [ToolCall(name=call["name"], args=call["args"], id=call["id"]) for call in calls]


def _plain_turn(message: BaseMessage, names: Mapping[str | None, str]) -> BaseMessage:
    """Return the message with its text and attachments only: servers refuse names and fields of others."""
    text = _clean(str(message.text))
    if isinstance(message, AIMessage):
        return AIMessage(_CALL.sub("", text))
    if isinstance(message, ToolMessage):
        text = f"[Result of {names.get(message.tool_call_id, 'a tool')}: {text.strip() or 'nothing'}]"
    return human(text, attachments_of(message))


def _joined(first: BaseMessage, second: BaseMessage) -> BaseMessage:
    text = "\n\n".join(text for one in (first, second) if (text := str(one.text)).strip())
    if isinstance(second, AIMessage):
        return AIMessage(text, tool_calls=second.tool_calls)
    return human(text, [*attachments_of(first), *attachments_of(second)])


def _is_empty(message: BaseMessage) -> bool:
    calls = isinstance(message, AIMessage) and message.tool_calls
    return not calls and not str(message.text).strip() and not attachments_of(message)


def _clean(text: str) -> str:
    """Return the text as UTF-8 holds it: halves of surrogate pairs are put together, or replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


Turn = dict[str, Any]


def prompt_ids(
    tokenizer: Any, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]] = ()
) -> list[int]:
    """Return the ids of a prompt that ends where the model's answer begins.

    Args:
        tokenizer: of the model.
        messages: what it is told.
        tools: functions that it may call, as OpenAI's API takes them.

    Raises:
        InputError: a message spells a control token of this model in a way that cannot be undone.
        NotImplementedError: its template takes no tools.
    """
    if tools and "tools" not in (tokenizer.get_chat_template() if tokenizer.chat_template else ""):
        raise NotImplementedError("the chat template of this model takes no tools")
    turns = [_turn(tokenizer, message, bool(tools)) for message in messages]
    text = _rendered(tokenizer, _merged(turns), _harmless_in(tokenizer, list(tools)))
    # The template wrote the token that begins a text already, if there is one.
    templated = tokenizer.chat_template is not None
    return [int(token) for token in tokenizer(text, add_special_tokens=not templated)["input_ids"]]


def harmless(tokenizer: Any, text: str) -> str:
    """Break this model's control tokens in `text` by a space (`</s>` → `< /s>`).

    Raises:
        InputError: it still holds one.
    """
    controls = sorted(_controls(tokenizer), key=len, reverse=True)
    for control in controls:
        text = text.replace(control, f"{control[0]} {control[1:]}")
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    offender = next(
        (token for token in tokenizer(text, add_special_tokens=False)["input_ids"] if token in special), None
    )
    if offender is not None:
        spelt = tokenizer.convert_ids_to_tokens(offender)
        raise InputError(f"the query spells the control token {spelt!r}.", hint="Leave it out.")
    return text


def _controls(tokenizer: Any) -> list[str]:
    """List special tokens, and added ones that look special; vocabularies also add words and spaces."""
    added = tokenizer.added_tokens_decoder.values()
    shown = {str(token) for token in added if token.special or str(token).startswith(("<", "["))}
    return [token for token in shown | set(tokenizer.all_special_tokens) if len(token) > 1]


def _harmless_in(tokenizer: Any, value: Any) -> Any:
    """Return JSON with the texts in it made harmless."""
    if isinstance(value, dict):
        return {name: _harmless_in(tokenizer, own) for name, own in value.items()}
    if isinstance(value, list):
        return [_harmless_in(tokenizer, own) for own in value]
    return harmless(tokenizer, value) if isinstance(value, str) else value


def _turn(tokenizer: Any, message: BaseMessage, tools: bool) -> Turn:
    role = {"ai": "assistant", "system": "system"}.get(message.type, "user")  # a tool's result is data too
    text = str(message.text)
    turn: Turn = {
        "role": role,
        "content": text if isinstance(message, SystemMessage) else harmless(tokenizer, text),
    }
    if tools and isinstance(message, ToolMessage):
        return turn | {"role": "tool", "name": message.name}
    if tools and isinstance(message, AIMessage) and message.tool_calls:
        calls = [{"name": one["name"], "arguments": one["args"]} for one in message.tool_calls]
        told = [{"type": "function", "function": one} for one in _harmless_in(tokenizer, calls)]
        return turn | {"tool_calls": told}
    return turn


def _merged(turns: Sequence[Turn]) -> list[Turn]:
    """Join turns of one role in a row: many templates insist that user and assistant take turns."""
    merged: list[Turn] = []
    for turn in turns:
        single = turn["role"] == "tool" or "tool_calls" in turn
        if merged and not single and merged[-1]["role"] == turn["role"]:
            merged[-1] = {**turn, "content": f"{merged[-1]['content']}\n\n{turn['content']}"}
        else:
            merged.append(turn)
    return merged


def _rendered(tokenizer: Any, turns: list[Turn], tools: list[Any]) -> str:
    if tokenizer.chat_template is None:  # a base model, not taught to chat
        names = {"user": "Question: ", "assistant": "Answer: ", "system": ""}
        return "".join(f"{names[turn['role']]}{turn['content']}\n\n" for turn in turns) + "Answer:"
    from jinja2 import TemplateError

    try:
        return _templated(tokenizer, turns, tools)
    except TemplateError:
        return _templated(tokenizer, _without_system(turns), tools)


def _templated(tokenizer: Any, turns: list[Turn], tools: list[Any]) -> str:
    given = {"tools": tools} if tools else {}
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, **given))


def _without_system(turns: Sequence[Turn]) -> list[Turn]:
    """Move the system prompt into a user turn, for templates that refuse it or a first assistant turn."""
    moved = [{**turn, "role": "user"} if turn["role"] == "system" else dict(turn) for turn in turns]
    while moved and moved[0]["role"] == "assistant":
        moved.pop(0)
    return _merged(moved)
