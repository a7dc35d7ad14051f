"""Answer with a chat model: in this process, on a server, or at a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.messages.ai import add_usage
from langgraph.errors import GraphBubbleUp

from agents.errors import InputError, OctopusGraphError, UnsupportedParameterError
from agents.generation import Generation
from agents.modalities import human, modalities_of, refusal
from agents.types import WorkerAnswer, WorkerRequest, failure
from agents.workers.models.chat_prompt import chat_messages
from agents.workers.models.chat_reference import ANSWER_TOKENS, ChatReference
from agents.workers.models.failures import Fault, ModelFaultError, fault, fault_in, fault_of
from agents.workers.models.model_tool import refuses_tools
from agents.workers.models.reference import Connection
from agents.workers.models.reply import Reply, formed
from agents.workers.models.tool_calling import NOT_OFFERED, calls_tools, converse
from agents.workers.models.window import (
    SUMMARY_TOKENS,
    Fitted,
    Room,
    fit,
    to_summarise,
    window_in,
    with_summary,
)
from agents.workers.models.written_calls import WrittenCalls

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.outputs import ChatGeneration
    from langchain_core.runnables import RunnableConfig

_PAUSE = 0.25  # seconds before a request is sent again, doubled each time


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
        except (OctopusGraphError, RuntimeError, MemoryError, OSError) as error:
            found = fault_of(error)
            if self.window is None and (window := window_in(found.detail)):
                self.window = window  # the server's; known from now on
                return await self.answer(request)
            return self._unavailable(found, request)

    async def _answer(self, messages: Sequence[BaseMessage], request: WorkerRequest) -> WorkerAnswer:
        until = asyncio.get_running_loop().time() + min(request.seconds or self.given.total, self.given.total)
        window = self.window or await asyncio.to_thread(lambda: self.reference.window(self.chat))
        evidence: dict[str, Any] = {"model": self.reference.name}
        summary: AIMessage | None = None
        room: int | None = None
        if window is not None:
            most = window - min(request.generation.max_tokens or ANSWER_TOKENS, window // 4)
            spare = window // 8 if self.given.tools and calls_tools(request) else 0
            fitted = await self._fitted(messages, most - spare)
            if spare and not fitted.fits:
                fitted = await self._fitted(messages, most)
            if fitted.left_out and self.given.summarises:
                summary, fitted = await self._summarised(messages, most, request, until)
            if not fitted.fits:
                return self._too_long(fitted, window)
            if fitted.left_out:
                evidence["trimmed"] = {"messages": fitted.left_out, "kept": fitted.tokens, "window": window}
            if summary is not None:
                evidence["trimmed"]["summary"] = str(summary.text)
            messages, room = fitted.messages, window - fitted.tokens
        if self.given.tools and calls_tools(request):
            ask, left = partial(self._ask_once, request, until), Room(room, self._count)
            model = str(self.reference)
            reply, told = await converse(ask, messages, self.given.tools, request, left, model)
            replies, evidence = [reply], evidence | told
        else:
            options = self.reference.call_options(request, room)
            replies = await self._ask(messages, options, self.given.silent, until)
            if self.given.tools and request.limits.calls:
                evidence["tools"] = {"offered": [], "note": NOT_OFFERED}
        usage = add_usage(replies[0].usage_metadata, summary.usage_metadata if summary else None)
        counted = replies[0].usage_metadata or summary
        evidence["usage"] = dict(usage) if counted else {}
        if logprobs := replies[0].response_metadata.get("logprobs"):
            evidence["logprobs"] = logprobs
        return self._read([Reply.of(one) for one in replies], request, evidence)

    def _read(
        self, replies: Sequence[Reply], request: WorkerRequest, evidence: dict[str, Any]
    ) -> WorkerAnswer:
        """Return the answer that the replies hold, or why they hold none."""
        first, asked = replies[0], request.generation
        evidence["finish_reason"] = first.finish
        if first.reasoning:
            evidence["reasoning"] = first.reasoning
        if len(replies) > 1:
            evidence["alternatives"] = [one.text for one in replies[1:]]
            evidence["alternative_ends"] = [one.finish for one in replies[1:]]
        calls = first.calls if asked.offers_tools else ()
        if found := fault_in(first, calls=bool(calls)):
            return self._unavailable(found, request, evidence)
        if asked.demands_call and not calls:  # a server without support for tools drops them in silence
            why = "did not call a tool, as the client demands"
            return self._unavailable(
                fault("invalid_output", why, hint="Can its server call tools?"), request, evidence
            )
        text = first.text
        if asked.form and not calls and first.finish != "length":
            text, wrong = formed(text, asked.form)
            if wrong:
                found = fault("invalid_output", "did not keep to the form", hint="Ask again.", detail=wrong)
                return self._unavailable(found, request, evidence)
        return WorkerAnswer("answered", text, evidence, calls=calls)

    async def _summarised(
        self, messages: Sequence[BaseMessage], room: int, request: WorkerRequest, until: float
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
        (summary,) = await self._ask(asked, options, True, until)
        kept = with_summary(fitted.messages, str(summary.text))
        tokens = await asyncio.to_thread(self._count, kept)
        return summary, Fitted(kept, fitted.left_out, tokens, tokens <= room)

    async def _fitted(self, messages: Sequence[BaseMessage], room: int) -> Fitted:
        return await asyncio.to_thread(fit, messages, room, self._count)

    async def _ask(
        self,
        messages: Sequence[BaseMessage],
        options: dict[str, Any],
        silent: bool,
        until: float,
    ) -> list[AIMessage]:
        """Return the replies; after a fault that may pass ask again, as far as there is time.

        Raises:
            ModelFaultError: there is none.
        """
        clock, tried = asyncio.get_running_loop().time, 0
        while True:
            limit = until if self.reference.keeps_time else min(until, clock() + self.given.timeout)
            try:
                async with asyncio.timeout_at(limit):
                    return await self._asked(messages, dict(options), silent)
            except (InputError, GraphBubbleUp):
                raise
            except Exception as error:  # each client has its own
                found = fault_of(error)
                pause = _PAUSE * 2**tried if found.wait is None else found.wait
                tried += 1
                hopeless = not found.again or ("tools" in options and refuses_tools(error))
                if hopeless or tried > self.given.retries or pause > (until - clock()) / 2:
                    raise ModelFaultError(found) from error
            await asyncio.sleep(pause)

    async def _ask_once(
        self,
        request: WorkerRequest,
        until: float,
        messages: Sequence[BaseMessage],
        tools: Sequence[Mapping[str, Any]],
        room: int | None,
    ) -> AIMessage:
        """Return the reply to one round of a talk in which the model may call the worker's own tools."""
        options = {**self.reference.call_options(request, room)} | ({"tools": list(tools)} if tools else {})
        return (await self._ask(messages, options, self.given.silent, until))[0]

    async def _asked(
        self, messages: Sequence[BaseMessage], options: dict[str, Any], silent: bool
    ) -> list[AIMessage]:
        known = tuple(tool["function"]["name"] for tool in options.get("tools", ()))
        config: RunnableConfig = {"tags": ["nostream"]} if silent else {}
        if "n" in options:  # in a stream their pieces would mix
            result = await self.chat.agenerate([list(messages)], stream=False, **options)
            found = [cast("ChatGeneration", one).message for one in result.generations[0]]
            return [one for one in found if isinstance(one, AIMessage)]
        asked = self.reference.bound(self.chat, options)
        if known:
            asked = WrittenCalls(chat=asked, known=known)
        return [await asked.ainvoke(list(messages), config, **options)]

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

    def _unavailable(
        self, why: Fault, request: WorkerRequest, evidence: Mapping[str, Any] | None = None
    ) -> WorkerAnswer:
        why.log(request.idempotency_key, self.reference)
        text = f"{self.given.name} was chosen, but its model {self.reference.name!r} {why.why}. {why.hint}"
        told = {"model": self.reference.name, **(evidence or {})}
        return WorkerAnswer("unavailable", text.strip(), told, failure=why.failure)
