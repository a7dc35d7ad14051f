"""A worker that is a language model: in this process, on a server, or at a provider."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.messages.ai import add_usage

from agents.errors import InputError, OctopusGraphError
from agents.modalities import human, modalities_of, refusal
from agents.types import WorkerAnswer, WorkerRequest
from agents.workers.models.clients import connect, without_keys
from agents.workers.models.reference import ModelReference
from agents.workers.models.window import Fitted, approximate_tokens, fit, window_in
from agents.workers.summary import SUMMARY_TOKENS, to_summarise, with_summary

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import RunnableConfig

    from agents.workers.models.local_model import LocalModel
    from agents.workers.models.manager import ModelManager

HOW_TO_CONNECT = (
    "For all workers at once: OCTOPUS_MODEL=openai:llama3.2@http://localhost:11434/v1 (Ollama; vLLM, "
    "LM Studio and llama.cpp work the same way), or one worker: `model:` in its spec. `octopus doctor` "
    "shows which servers answer on this machine."
)
_ANSWER = 1024  # tokens that are kept free for the answer, but for small windows


@dataclass
class LanguageModel:
    """Answers with a chat model.

    Attributes:
        node: the worker's name, for messages.
        reference: which model, where.
        prompt: system prompt; "" sends none.
        timeout: seconds for one request.
        retries: how often a failed request is sent again.
        window: tokens of prompt and answer; None takes what the model says, or what a server names when it
            refuses a prompt as too long.
        manager: of local models.
        summarises: whether turns that do not fit are summarised, by one more call, rather than left out.
        silent: whether what it writes is not for the user's eyes.
    """

    node: str
    reference: ModelReference
    prompt: str = ""
    timeout: float = 60.0
    retries: int = 2
    window: int | None = None
    manager: ModelManager[LocalModel] | None = None
    summarises: bool = False
    silent: bool = False

    @cached_property
    def chat(self) -> BaseChatModel:
        """The client; made on first use.

        Raises:
            ModelUnavailableError: a package or a key is missing.
        """
        return connect(self.reference, self.timeout, self.retries, self.manager)

    def warm(self) -> None:
        """Begin to load a local model that was chosen, while its query is still being written."""

        def start() -> None:
            with contextlib.suppress(OctopusGraphError):  # told to whoever asks the worker
                self.chat.warm()  # type: ignore[attr-defined]

        if self.reference.kind == "hf":
            threading.Thread(target=start, name="warm-up", daemon=True).start()

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Stream the model's answer; `unavailable` when it cannot be reached or refuses."""
        if request.attachments and self.reference.kind == "hf":
            return WorkerAnswer("declined", refusal(self.node, modalities_of(request.attachments)))
        messages = [*request.conversation, human(request.query, request.attachments)]
        if self.prompt:
            messages = [SystemMessage(self.prompt), *messages]
        try:
            return await self._answer(messages, request)
        except InputError as error:
            return WorkerAnswer("declined", f"{self.node} cannot be asked this: {error}")
        except Exception as error:
            if (why := self.why(error)) is None:
                raise
            if self.window is None and (window := window_in(why)):
                self.window = window  # the server's; known from now on
                return await self.answer(request)
            return self._unavailable(why)

    async def _answer(self, messages: Sequence[BaseMessage], request: WorkerRequest) -> WorkerAnswer:
        window = self.window or await asyncio.to_thread(self._own_window)
        evidence: dict[str, Any] = {"model": self.reference.name}
        options: dict[str, Any] = {}
        if request.max_tokens is not None:
            options["max_tokens"] = request.max_tokens
        if self.reference.kind in ("openai", "hf-endpoint"):
            options["extra_headers"] = {"Idempotency-Key": request.idempotency_key}
        summary: AIMessage | None = None
        if window is not None:
            room = window - min(request.max_tokens or _ANSWER, window // 4)
            fitted = await asyncio.to_thread(fit, messages, room, self._count)
            if fitted.left_out and self.summarises:
                summary, fitted = await self._summarised(messages, room, options)
            if not fitted.fits:
                return self._too_long(fitted, window)
            if fitted.left_out:
                evidence["trimmed"] = {"messages": fitted.left_out, "kept": fitted.tokens, "window": window}
            if summary is not None:
                evidence["trimmed"]["summary"] = str(summary.text)
            messages = fitted.messages
            if self.reference.kind == "hf":
                options["max_tokens"] = min(request.max_tokens or _ANSWER, window - fitted.tokens)
        reply = await self._ask(messages, options, self.silent)
        usage = add_usage(reply.usage_metadata, summary.usage_metadata if summary else None)
        counted = reply.usage_metadata or summary
        return WorkerAnswer("answered", str(reply.text), evidence | {"usage": dict(usage) if counted else {}})

    async def _summarised(
        self, messages: Sequence[BaseMessage], room: int, options: dict[str, Any]
    ) -> tuple[AIMessage | None, Fitted]:
        """What is left out in short, and what is kept with it; without a summary where there is no room."""
        fitted = await asyncio.to_thread(fit, messages, room - 2 * SUMMARY_TOKENS, self._count)
        if not fitted.fits:
            return None, await asyncio.to_thread(fit, messages, room, self._count)
        first = int(isinstance(messages[0], SystemMessage))
        left_out = messages[first : first + fitted.left_out]
        asked = await asyncio.to_thread(to_summarise, left_out, room, self._count)
        summary = await self._ask(asked, options | {"max_tokens": SUMMARY_TOKENS}, silent=True)
        kept = with_summary(fitted.messages, str(summary.text))
        tokens = await asyncio.to_thread(self._count, kept)
        return summary, Fitted(kept, fitted.left_out, tokens, tokens <= room)

    async def _ask(self, messages: Sequence[BaseMessage], options: dict[str, Any], silent: bool) -> AIMessage:
        config: RunnableConfig = {"tags": ["nostream"]} if silent else {}
        # Clients of servers have a timeout for each request; each provider has its own setting for it.
        async with asyncio.timeout(self.timeout if self.reference.kind == "provider" else None):
            return await self.chat.ainvoke(list(messages), config, **options)

    def _own_window(self) -> int | None:
        """What the model says of its window; blocking."""
        if self.reference.kind == "hf":
            return self.chat.window()  # type: ignore[attr-defined, no-any-return]
        return (self.chat.profile or {}).get("max_input_tokens")

    def _count(self, messages: Sequence[BaseMessage]) -> int:
        if self.reference.kind == "hf":
            return self.chat.count(messages)  # type: ignore[attr-defined, no-any-return]
        return approximate_tokens(messages)

    def _too_long(self, fitted: Fitted, window: int) -> WorkerAnswer:
        return WorkerAnswer(
            "declined",
            f"The query takes {fitted.tokens:,} tokens, and the context window of {self.node}'s model has "
            f"{window:,}. Shorten it, or connect a model with a larger one.",
            {"model": self.reference.name, "window": window},
        )

    def why(self, error: Exception) -> str | None:
        """Why `chat` gave no answer, by what it raised; None for a fault of ours."""
        from openai import APIConnectionError, APIError, APITimeoutError

        if isinstance(error, APITimeoutError | TimeoutError):
            return f"nothing within {self.timeout:g} seconds"
        if isinstance(error, APIConnectionError):
            return f"nothing answers there ({type(error).__name__})"
        if isinstance(error, APIError):
            return f"the server said: {without_keys(error.message)}"
        if isinstance(error, OctopusGraphError):
            return str(error)
        if self.reference.kind == "hf" and isinstance(error, RuntimeError | MemoryError):
            return f"it failed: {error}"  # out of memory, as a rule
        if self.reference.kind == "provider" and not isinstance(
            error, TypeError | AttributeError | NameError
        ):
            return f"the provider said: {error} ({type(error).__name__})"
        return None

    def _unavailable(self, why: str) -> WorkerAnswer:
        start = "Start the server, or connect another" if self.reference.url else "Or connect another"
        return WorkerAnswer(
            "unavailable",
            f"{self.node} was chosen, but its model {self.reference} gave no answer: {why.rstrip('.')}. "
            f"{start}. {HOW_TO_CONNECT}",
            {"model": self.reference.name},
        )
