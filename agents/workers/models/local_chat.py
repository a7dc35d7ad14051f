"""Make a local language model a chat model of LangChain.

`ChatHuggingFace` over a pipeline samples unless told not to, ignores stop texts, cannot be awaited, adds the
beginning-of-text token twice and never releases its model. So this one generates with transformers itself.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from agents.workers.models.chat_prompt import prompt_ids
from agents.workers.models.local_model import LocalModel, source_of, with_base
from agents.workers.models.manager import ModelManager, Source
from agents.workers.models.reference import ModelReference

_MOST_TOKENS = 1024  # of an answer, where nobody says


class LocalChat(BaseChatModel):
    """Answer with a model of the manager, held only while it answers.

    Attributes:
        reference: the model, with its adapter and options.
        manager: shared by all local models.
        max_tokens: of an answer.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reference: ModelReference
    manager: ModelManager[LocalModel]
    max_tokens: int = _MOST_TOKENS

    @property
    def _llm_type(self) -> str:
        return "local"

    def warm(self) -> None:
        """Begin to load the model."""
        self.manager.warm(self._source())

    def window(self) -> int | None:
        """Return how many tokens fit into the context of the model; blocking, loads it."""
        with self.manager.lease(self._source()) as model:
            return model.window

    def count(self, messages: Sequence[BaseMessage]) -> int:
        """Count the tokens of a prompt of these messages; blocking, loads the model."""
        with self.manager.lease(self._source()) as model:
            return len(prompt_ids(model.tokenizer, messages))

    def _source(self) -> Source[LocalModel]:
        return source_of(with_base(self.reference))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, **options))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, **options))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> Iterator[ChatGenerationChunk]:
        queue: SimpleQueue[_Event] = SimpleQueue()
        given_up = self._start(messages, stop, options, queue.put)
        try:
            while (chunk := _chunk_of(queue.get())) is not None:
                if run_manager:
                    run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                yield chunk
        finally:
            given_up.set()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        queue: asyncio.Queue[_Event] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def put(event: _Event) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, event)

        given_up = self._start(messages, stop, options, put)
        try:
            while (chunk := _chunk_of(await queue.get())) is not None:
                if run_manager:
                    await run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                yield chunk
        finally:
            given_up.set()

    def _start(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        options: dict[str, Any],
        put: Callable[[_Event], None],
    ) -> threading.Event:
        """Generate in a thread, which stops soon after the returned event is set."""
        given_up = threading.Event()
        most = int(options.get("max_tokens") or self.max_tokens)
        temperature, seed = float(options.get("temperature") or 0), int(options.get("seed") or 0)

        def work() -> None:
            try:
                with self.manager.lease(self._source()) as model:
                    writing = _Writing(model.tokenizer, stop or (), given_up, put)
                    ids = prompt_ids(model.tokenizer, messages, options.get("tools") or ())
                    adapter = with_base(self.reference).adapter
                    tokens = model.generate(
                        ids, most, writing.on_tokens, adapter, temperature=temperature, seed=seed
                    )
                    put(writing.end(tokens, len(ids)))
                put(None)
            except BaseException as error:
                put(error)

        threading.Thread(target=work, name="generation", daemon=True).start()
        return given_up


_Event = ChatGenerationChunk | BaseException | None
"""Carry a piece of the answer, a fault, or the end."""


@dataclass
class _Writing:
    """Send text as it is generated: whole characters, and nothing of a stop text."""

    tokenizer: Any
    stops: Sequence[str]
    given_up: threading.Event
    put: Callable[[_Event], None]
    sent: int = 0
    stopped: bool = False

    def on_tokens(self, tokens: Sequence[int]) -> bool:
        """Send what is sure; return whether to stop."""
        text = self._text(tokens)
        sure = len(text.rstrip("\ufffd")) if self.stopped else len(text) - _pending(text, self.stops)
        if sure > self.sent:
            self.put(_chunk(text[self.sent : sure]))
            self.sent = sure
        return self.stopped or self.given_up.is_set()

    def end(self, tokens: Sequence[int], read: int) -> ChatGenerationChunk:
        """Return the rest, with the usage."""
        written = len(tokens)
        usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
        return _chunk(self._text(tokens)[self.sent :], usage)

    def _text(self, tokens: Sequence[int]) -> str:
        text = str(self.tokenizer.decode(list(tokens), skip_special_tokens=True))
        ends = [text.index(stop) for stop in self.stops if stop in text]
        if ends:
            self.stopped = True
            return text[: min(ends)]
        return text


def _pending(text: str, stops: Sequence[str]) -> int:
    """Count the characters at the end that may yet become another character, or a stop text."""
    half = len(text) - len(text.rstrip("\ufffd"))
    begun = (n for stop in stops for n in range(1, len(stop)) if text.endswith(stop[:n]))
    return max(half, max(begun, default=0))


def _chunk(text: str, usage: UsageMetadata | None = None) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text, usage_metadata=usage))


def _chunk_of(event: _Event) -> ChatGenerationChunk | None:
    if isinstance(event, BaseException):
        raise event
    return event
