"""Read calls of tools that a model writes into its answer, where its server does not part them from it.

Small models do it often: Qwen and Hermes between `<tool_call>` tags, Llama as a bare JSON object or after
`<|python_tag|>`, Mistral after `[TOOL_CALLS]`, Gemma and others as Python calls or in a code fence.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.json import parse_partial_json

_MARKS = ("<tool_call>", "<|tool_call|>", "<function=", "<|python_tag|>", "[TOOL_CALLS]")
_FENCES = ("```json", "```tool_call", "```tool_code", "```python", "```")
_KEYS = (
    "type",
    "name",
    "function",
    "tool",
    "tool_name",
    "tool_call",
    "tool_calls",
    "arguments",
    "parameters",
)
_NAMES = ("name", "function", "tool", "tool_name")
_ARGUMENTS = ("arguments", "parameters", "args")
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_MAY_BEGIN = re.compile(r"[<\[{`]|\A\s*(?=\w)")
_XML = re.compile(r"<function=([^>\s]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_XML_ARGUMENT = re.compile(r"<parameter=(\w+)>\n?(.*?)\n?(?:</parameter>|\Z)", re.DOTALL)
_NAMED = re.compile(r"\[TOOL_CALLS\]\s*([\w.-]+)(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\s*(?={)")
_TAGS = re.compile(r"\A(?:\s*(?:<\|?(?:tool_call|python_tag)\|?>|```\w*))+|(?:(?:</tool_call>|```)\s*)+\Z")
_CLOSING = re.compile(r"</tool_call>|```|\[TOOL_CALLS\]")
_OPENING = re.compile(r"(?!\[TOOL_CALLS\])[{\[]")

Written = tuple[str, str]
"""Pair the name of a tool with its arguments as JSON text; the text may be broken."""


def read_calls(text: str, known: Collection[str], before: str = "") -> tuple[str, list[Written]]:
    """Return what is said before the first call in `text`, and the calls; without one, the text as it is.

    Without a mark, only what names a known tool is a call: an answer may be JSON too.

    Args:
        text: what a model wrote.
        known: the names of its tools.
        before: what it wrote before that.
    """
    start = begun(text, known, before)
    if start is None:
        return text, []
    calls = list(_calls(text[start:], known))
    return (text[:start].rstrip(), calls) if calls else (text, [])


def begun(text: str, known: Collection[str], before: str = "") -> int | None:
    """Return where a call begins in `text`, or may begin with what is still to come; None for nowhere.

    What a model thinks is no call, and calls in plain Python stand at the very beginning.
    """
    said, openers = before + text, _openers(known)
    thoughts = [found.span() for found in _THOUGHT.finditer(said)]
    for found in _MAY_BEGIN.finditer(text):
        at = found.start()
        if any(first <= len(before) + at < end for first, end in thoughts):
            continue
        here = "".join(text[at : at + 120].split())
        tried = openers
        if not found[0] or found[0].isspace():
            tried = [] if before.strip() else [f"{name}(" for name in known]
        if any(here.startswith(one) or one.startswith(here) for one in tried if here):
            return at
    return None


def _openers(known: Collection[str]) -> list[str]:
    objects = [f"{{{quote}{key}{quote}:" for key in _KEYS for quote in "\"'"]
    bodies = [*objects, *(f"[{one}" for one in objects), *(f"[{name}(" for name in known)]
    fenced = [*bodies, *(f"{name}(" for name in known)]
    return [*_MARKS, *bodies, *(fence + body for fence in _FENCES for body in fenced)]


def _calls(text: str, known: Collection[str]) -> Iterator[Written]:
    marked = text.lstrip().startswith(_MARKS)
    if found := _XML.findall(text):
        for name, body in found:
            given = {key: _value(value) for key, value in _XML_ARGUMENT.findall(body)}
            yield name, json.dumps(given) if given else body.strip() or "{}"
        return
    if named := _NAMED.match(text.lstrip()):
        yield from _named_calls(text.lstrip(), named)
        return
    written = [one for value in _values(text) for one in _of_value(value, known, marked)]
    bare = _TAGS.sub("", text).strip()
    written = written or list(_python_calls(bare, known))
    if marked and not written:  # what is broken is answered, so that the model can mend it
        written = [(name, bare) for name in known if name in bare][:1]
    yield from written


def _named_calls(text: str, found: re.Match[str] | None) -> Iterator[Written]:
    while found:
        source = _json_at(text, found.end())[1]
        yield found[1], source
        found = _NAMED.search(text, found.end() + len(source))


def _values(text: str) -> Iterator[Any]:
    """Yield the JSON values (or Python's) of a text, the last one mended where it was cut short."""
    at = 0
    while found := _OPENING.search(text, at):
        value, source = _json_at(text, found.start())
        if value is None:
            return
        yield value
        at = found.start() + max(1, len(source))


def _json_at(text: str, at: int) -> tuple[Any, str]:
    """Return the JSON value that begins at `at`, None where it is broken, and its source."""
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, at)
        return value, text[at:end]
    except json.JSONDecodeError:
        source = _CLOSING.split(text[at:])[0]
    for read in (ast.literal_eval, parse_partial_json):
        try:
            return read(source.strip()), source
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None, source


def _of_value(value: Any, known: Collection[str], marked: bool) -> Iterator[Written]:
    """Yield the calls in a JSON value, in any of the forms that models write."""
    if isinstance(value, list):
        for one in value:
            yield from _of_value(one, known, marked)
    if not isinstance(value, dict):
        return
    inner = next((value[key] for key in ("tool_calls", "tool_call", "function") if key in value), None)
    if isinstance(inner, dict | list):
        yield from _of_value(inner, known, marked)
        return
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    arguments: Any = next((value[key] for key in _ARGUMENTS if key in value), {} if marked else None)
    if name is not None and (marked or name in known) and isinstance(arguments, dict | str):
        yield name, arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def _python_calls(text: str, known: Collection[str]) -> Iterator[Written]:
    """Yield calls like `[add(first=1, second=2)]`, if the text is nothing else."""
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return
    listed = body.elts if isinstance(body, ast.List | ast.Tuple) else [body]
    for one in listed:
        name = ast.unparse(one.func) if isinstance(one, ast.Call) else ""
        if not isinstance(one, ast.Call) or name not in known or one.args:
            return
        try:
            given = {str(part.arg): ast.literal_eval(part.value) for part in one.keywords}
        except ValueError:
            return
        yield name, json.dumps(given, ensure_ascii=False)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


@dataclass
class _Parting:
    """Let a model's words through as they come, but for what is a call or may become one."""

    known: Collection[str]
    said: str = field(default="", init=False)
    held: str = field(default="", init=False)

    def feed(self, text: str) -> str:
        """Return what can be said after `text`."""
        self.held += text
        start = begun(self.held, self.known, self.said)
        free, self.held = self.held[:start], "" if start is None else self.held[start:]
        return self._say(free)

    def end(self) -> tuple[str, list[Written]]:
        """Return what was held back: words, and calls."""
        rest, calls = read_calls(self.held, self.known, self.said)
        return self._say(rest), calls

    def _say(self, text: str) -> str:
        self.said += text
        return text


class WrittenCalls(BaseChatModel):
    """Answer as `chat` does, with the calls that it writes as text read as calls.

    Attributes:
        chat: a chat model, with its tools bound.
        known: the tools' names.
    """

    chat: Runnable[Any, Any]
    known: tuple[str, ...] = ()

    @property
    def _llm_type(self) -> str:
        return "written-calls"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        said = self.chat.invoke(messages, {"callbacks": []}, **_with_stop(stop, options))
        parting = _Parting(self.known)
        text = parting.feed(said.content) if isinstance(said.content, str) else said.content
        rest, calls = parting.end()
        whole = AIMessageChunk(**{**said.model_dump(exclude={"type", "content", "name"}), "content": text})
        found = whole + _ending(rest, calls)
        message = AIMessage(**found.model_dump(exclude={"type", "tool_call_chunks", "chunk_position"}))
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, **options))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        parting = _Parting(self.known)
        # Without callbacks: this model is the one that is seen.
        async for chunk in self.chat.astream(messages, {"callbacks": []}, **_with_stop(stop, options)):
            if isinstance(chunk.content, str) and chunk.content:
                chunk = chunk.model_copy(update={"content": parting.feed(chunk.content)})
            yield ChatGenerationChunk(message=chunk)
        rest, calls = parting.end()
        if rest or calls:
            yield ChatGenerationChunk(message=_ending(rest, calls))


def _ending(text: str, calls: Sequence[Written]) -> AIMessageChunk:
    # Some templates (Mistral's) want ids of nine letters and digits.
    chunks = [
        tool_call_chunk(name=name, args=arguments, id=uuid4().hex[:9], index=1000 + index)
        for index, (name, arguments) in enumerate(calls)
    ]
    return AIMessageChunk(content=text, tool_call_chunks=chunks)


def _with_stop(stop: list[str] | None, options: dict[str, Any]) -> dict[str, Any]:
    return options if stop is None else {**options, "stop": stop}
