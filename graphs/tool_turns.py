"""Read turns of a client's tools: what the model called, what came of it, and who called.

A client runs its tools itself. Its next request repeats the calls and adds the results; these go back to the
worker that called, without being routed anew. So the ids of calls that a client sees begin with the worker's
name, and those that a model sees do not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage

from agents.errors import InputError
from agents.types import NodeName

_BETWEEN = "__"


def asked_and_since(messages: Sequence[BaseMessage]) -> tuple[Sequence[BaseMessage], Sequence[BaseMessage]]:
    """Return the messages up to the user's last one, and the calls of tools and their results after it."""
    last = next((k for k in reversed(range(len(messages))) if isinstance(messages[k], HumanMessage)), -1)
    if not messages or not isinstance(messages[-1], ToolMessage):
        return messages, ()
    return messages[: last + 1], messages[last + 1 :]


def check_last(messages: Sequence[BaseMessage]) -> None:
    """Check that a turn can begin with these messages.

    Raises:
        InputError: the last one is neither a question nor the last result that was missing.
    """
    if messages and isinstance(messages[-1], HumanMessage):
        return
    asked, since = asked_and_since(messages)
    if not since or not asked:
        raise InputError("the last message must be from the user.", hint="Send a human message last.")
    open_ids: set[str | None] = set()
    for message in since:
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in open_ids:
                raise InputError(f"no call has the id {message.tool_call_id[:80]!r} of a tool's result.")
            open_ids.discard(message.tool_call_id)
        elif isinstance(message, AIMessage):
            _check_answered(open_ids)
            open_ids = {call["id"] for call in message.tool_calls}
    _check_answered(open_ids)


def _check_answered(open_ids: Collection[str | None]) -> None:
    if open_ids:
        raise InputError(f"the call {str(min(map(str, open_ids)))[:80]!r} of a tool has no result.")


def caller(since: Sequence[BaseMessage], nodes: Collection[NodeName]) -> NodeName | None:
    """Return which of the nodes made the last calls; None where their ids do not say."""
    calls = next((m.tool_calls for m in reversed(since) if isinstance(m, AIMessage) and m.tool_calls), [])
    ids = [str(call["id"] or "") for call in calls]
    named = {message_name(node): node for node in nodes}
    found = (named.get(one.partition(_BETWEEN)[0]) for one in ids if _BETWEEN in one)
    return next((node for node in found if node), None)


def for_client(node: NodeName, calls: Sequence[ToolCall]) -> list[ToolCall]:
    """Return a worker's calls with its name in their ids."""
    return [
        {**call, "id": f"{message_name(node)}{_BETWEEN}{call['id'] or f'call_{k}'}"}
        for k, call in enumerate(calls)
    ]


def for_worker(node: NodeName, since: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return calls and results with the ids that the worker gave."""
    prefix = f"{message_name(node)}{_BETWEEN}"

    def plain(message: BaseMessage) -> BaseMessage:
        if isinstance(message, ToolMessage):
            return message.model_copy(update={"tool_call_id": message.tool_call_id.removeprefix(prefix)})
        if isinstance(message, AIMessage) and message.tool_calls:
            calls = [{**call, "id": str(call["id"]).removeprefix(prefix)} for call in message.tool_calls]
            return message.model_copy(update={"tool_calls": calls})
        return message

    return [plain(message) for message in since]


def message_name(node: str) -> str | None:
    """Return the name of a node as messages carry it: OpenAI-compatible servers refuse other characters."""
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in node)[:64] or None
