"""Answer with a chat model: in this process, on a server, or at a provider."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.messages.ai import add_usage

from agents.errors import InputError, OctopusGraphError, UnsupportedParameterError
from agents.generation import Generation
from agents.modalities import human, modalities_of, refusal
from agents.settings import ProviderKeys
from agents.types import FailureCode, Worker, WorkerAnswer, WorkerRequest, failure
from agents.workers.models.chat_prompt import chat_messages
from agents.workers.models.reference import Connection, ModelReference, Sends
from agents.workers.models.reply import Reply, formed
from agents.workers.models.window import (
    SUMMARY_TOKENS,
    Fitted,
    approximate_tokens,
    fit,
    to_summarise,
    window_in,
    with_summary,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.outputs import ChatGeneration
    from langchain_core.runnables import Runnable, RunnableConfig

    Asked = Runnable[Any, AIMessage]

ANSWER_TOKENS = 1024  # kept free for the answer, but for small windows
HOW_TO_CONNECT = (
    "OCTOPUS_MODEL=openai:NAME@URL connects a model, for instance openai:llama3.2@http://localhost:11434/v1; "
    "`octopus doctor` shows which servers answer here."
)


@dataclass(frozen=True)
class ChatReference(ModelReference):
    """Name a chat model; a kind says how to reach it, count for it and explain its failures.

    Attributes:
        keeps_time: whether its client ends a slow request itself.
        takes: the parameters of `Generation` that its models take.
    """

    takes: ClassVar[frozenset[str]] = frozenset({"max_tokens"})
    keeps_time: ClassVar[bool] = True
    sends: ClassVar[Sends] = "conversation"

    def connect(self, given: Connection) -> Worker:
        """Build the worker."""
        return LanguageModel(self, given)

    @abstractmethod
    def chat(self, given: Connection) -> BaseChatModel:
        """Build LangChain's chat model; load nothing and send nothing."""

    def call_options(self, request: WorkerRequest, room: int | None) -> dict[str, Any]:
        """Return the options of one call.

        Args:
            request: what is asked.
            room: tokens that the prompt leaves in the window; None where that is not known.

        Raises:
            UnsupportedParameterError: the model does not take a parameter that is asked for.
        """
        given = request.generation.given
        if refused := sorted(given.keys() - self.takes):
            names = ", ".join(refused)
            raise UnsupportedParameterError(refused[0], f"its model {self} does not take {names}.")
        return given

    def bound(self, chat: BaseChatModel, options: dict[str, Any]) -> Asked:
        """Return what is asked with `options`; those that are bound to it are taken out of them."""
        return chat

    def window(self, chat: BaseChatModel) -> int | None:
        """Return what the model says of its window; may block."""
        return (chat.profile or {}).get("max_input_tokens")

    def count(self, chat: BaseChatModel, messages: Sequence[BaseMessage]) -> int:
        """Count the tokens of a prompt; may block."""
        return approximate_tokens(messages)

    def warm(self, chat: Callable[[], BaseChatModel]) -> None:
        """Begin to load the model, where it is not on a server."""
        return

    def why(self, error: Exception) -> str | None:
        """Explain a failure of this kind of model; return None for a fault of ours."""
        return None


@dataclass
class LanguageModel:
    """Answer with a chat model.

    Attributes:
        reference: which model, where.
        given: name, prompt, limits and the rest.
        window: tokens of prompt and answer, once they are known.
    """

    reference: ChatReference
    given: Connection
    window: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.window = self.given.window

    @cached_property
    def chat(self) -> BaseChatModel:
        """Build the client, on first use.

        Raises:
            ModelUnavailableError: a package or a key is missing.
        """
        return self.reference.chat(self.given)

    def warm(self) -> None:
        """Begin to load a local model that was chosen, while its query is still being written."""
        self.reference.warm(lambda: self.chat)

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Stream the model's answer; `unavailable` when the model cannot be reached or refuses."""
        if request.attachments and self.reference.text_only:
            return WorkerAnswer("declined", refusal(self.given.name, modalities_of(request.attachments)))
        said = [*request.conversation, human(request.query, request.attachments), *request.since]
        offered = request.generation.tools is not None and "tools" in self.reference.takes
        messages = chat_messages(said, self.given.prompt, calls=offered)
        try:
            return await self._answer(messages, request)
        except InputError as error:
            text = f"{self.given.name} cannot be asked this: {error}"
            if isinstance(error, UnsupportedParameterError):
                why_not = failure("unsupported_parameter", param=error.param)
                return WorkerAnswer("declined", text, {"model": self.reference.name}, failure=why_not)
            return WorkerAnswer("declined", text, failure=failure("declined"))
        except Exception as error:
            if (why := self.why(error)) is None:
                raise
            if self.window is None and (window := window_in(why)):
                self.window = window  # the server's; known from now on
                return await self.answer(request)
            return self._unavailable(f"gave no answer: {why.rstrip('.')}", "unreachable")

    async def _answer(self, messages: Sequence[BaseMessage], request: WorkerRequest) -> WorkerAnswer:
        window = self.window or await asyncio.to_thread(lambda: self.reference.window(self.chat))
        evidence: dict[str, Any] = {"model": self.reference.name}
        summary: AIMessage | None = None
        room: int | None = None
        if window is not None:
            most = window - min(request.generation.max_tokens or ANSWER_TOKENS, window // 4)
            fitted = await self._fitted(messages, most)
            if fitted.left_out and self.given.summarises:
                summary, fitted = await self._summarised(messages, most, request)
            if not fitted.fits:
                return self._too_long(fitted, window)
            if fitted.left_out:
                evidence["trimmed"] = {"messages": fitted.left_out, "kept": fitted.tokens, "window": window}
            if summary is not None:
                evidence["trimmed"]["summary"] = str(summary.text)
            messages, room = fitted.messages, window - fitted.tokens
        replies = await self._ask(messages, self.reference.call_options(request, room), self.given.silent)
        usage = add_usage(replies[0].usage_metadata, summary.usage_metadata if summary else None)
        counted = replies[0].usage_metadata or summary
        evidence["usage"] = dict(usage) if counted else {}
        if logprobs := replies[0].response_metadata.get("logprobs"):
            evidence["logprobs"] = logprobs
        return self._read([Reply.of(one) for one in replies], request.generation, evidence)

    def _read(self, replies: Sequence[Reply], asked: Generation, evidence: dict[str, Any]) -> WorkerAnswer:
        """Return the answer that the replies hold, or why they hold none."""
        first = replies[0]
        evidence["finish_reason"] = first.finish
        if first.reasoning:
            evidence["reasoning"] = first.reasoning
        if len(replies) > 1:
            evidence["alternatives"] = [one.text for one in replies[1:]]
        calls = first.calls if asked.offers_tools else ()
        if first.refusal:
            return self._unavailable("refused to answer", "refused", evidence)
        if not first.text.strip() and not calls:
            if first.broken:
                why = "called a tool with arguments that are not JSON"
                return self._unavailable(why, "invalid_output", evidence)
            filtered = first.finish == "content_filter"
            why = "had its answer filtered" if filtered else "sent an empty answer"
            return self._unavailable(why, "filtered" if filtered else "empty_reply", evidence)
        text = first.text
        if asked.form and not calls and first.finish != "length":
            text, wrong = formed(text, asked.form)
            if wrong:
                return self._unavailable(f"did not keep to the form: {wrong}", "invalid_output", evidence)
        return WorkerAnswer("answered", text, evidence, calls=calls)

    async def _summarised(
        self, messages: Sequence[BaseMessage], room: int, request: WorkerRequest
    ) -> tuple[AIMessage | None, Fitted]:
        """Summarise what is left out, if there is room; return the summary and what is kept with it."""
        fitted = await self._fitted(messages, room - 2 * SUMMARY_TOKENS)
        if not fitted.fits:
            return None, await self._fitted(messages, room)
        first = int(isinstance(messages[0], SystemMessage))
        left_out = messages[first : first + fitted.left_out]
        asked = await asyncio.to_thread(to_summarise, left_out, room, self._count)
        plain = replace(request, generation=Generation(max_tokens=SUMMARY_TOKENS))
        options = self.reference.call_options(plain, None)
        (summary,) = await self._ask(asked, options, silent=True)
        kept = with_summary(fitted.messages, str(summary.text))
        tokens = await asyncio.to_thread(self._count, kept)
        return summary, Fitted(kept, fitted.left_out, tokens, tokens <= room)

    async def _fitted(self, messages: Sequence[BaseMessage], room: int) -> Fitted:
        return await asyncio.to_thread(fit, messages, room, self._count)

    async def _ask(
        self, messages: Sequence[BaseMessage], options: dict[str, Any], silent: bool
    ) -> list[AIMessage]:
        config: RunnableConfig = {"tags": ["nostream"]} if silent else {}
        async with asyncio.timeout(None if self.reference.keeps_time else self.given.timeout):
            if "n" in options:  # in a stream their pieces would mix
                result = await self.chat.agenerate([list(messages)], stream=False, **options)
                found = [cast("ChatGeneration", one).message for one in result.generations[0]]
                return [one for one in found if isinstance(one, AIMessage)]
            return [await self.reference.bound(self.chat, options).ainvoke(list(messages), config, **options)]

    def _count(self, messages: Sequence[BaseMessage]) -> int:
        return self.reference.count(self.chat, messages)

    def _too_long(self, fitted: Fitted, window: int) -> WorkerAnswer:
        return WorkerAnswer(
            "declined",
            f"The query takes {fitted.tokens:,} tokens, and the context window of {self.given.name}'s model "
            f"has {window:,}. Shorten it, or connect a model with a larger one.",
            {"model": self.reference.name, "window": window},
            failure=failure("context_length_exceeded"),
        )

    def why(self, error: Exception) -> str | None:
        """Explain why `chat` gave no answer, by what it raised; return None for a fault of ours."""
        from openai import APIConnectionError, APIError, APITimeoutError

        if isinstance(error, APITimeoutError | TimeoutError):
            return f"nothing within {self.given.timeout:g} seconds"
        if isinstance(error, APIConnectionError):
            return f"nothing answers there ({type(error).__name__})"
        if isinstance(error, APIError):
            return f"the server said: {ProviderKeys.read().hidden(error.message)}"
        return str(error) if isinstance(error, OctopusGraphError) else self.reference.why(error)

    def _unavailable(
        self, why: str, code: FailureCode, evidence: Mapping[str, Any] | None = None
    ) -> WorkerAnswer:
        hint = "" if evidence else f" {HOW_TO_CONNECT}"
        return WorkerAnswer(
            "unavailable",
            f"{self.given.name} was chosen, but its model {self.reference} {why}.{hint}",
            {"model": self.reference.name, **(evidence or {})},
            failure=failure(code),
        )
