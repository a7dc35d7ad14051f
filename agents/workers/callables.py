"""Make a worker of what a Python developer has at hand: a chat model, a runnable, a graph or a function."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, convert_to_messages
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.errors import GraphBubbleUp
from langgraph.graph.state import CompiledStateGraph
from pydantic import TypeAdapter

from agents.errors import SpecError
from agents.modalities import human, modalities_of, refusal
from agents.types import Worker, WorkerAnswer, WorkerRequest, failure
from agents.workers.models.chat_prompt import chat_messages
from agents.workers.models.clients import ProviderReference
from agents.workers.models.failures import Fault, fault, known_fault
from agents.workers.models.reference import Connection

_LOGGED = "The log of octopus.models says more."
QUESTION_KEYS = ("question", "query", "input", "text")
ANSWER_KEYS = ("output", "answer", "content", "result")


@dataclass(frozen=True, slots=True)
class Input:
    """Say how a query is passed.

    Attributes:
        form: as text, or as messages with the conversation before it.
        key: of the dict that holds it; "" passes it by itself.
    """

    form: Literal["text", "messages"] = "text"
    key: str = ""


@dataclass(frozen=True)
class GivenReference(ProviderReference):
    """Stand for a chat model of the program around the graph."""

    model: BaseChatModel | None = None

    def chat(self, given: Connection) -> BaseChatModel:
        """Return the model."""
        assert self.model is not None
        return self.model


@dataclass(frozen=True, slots=True)
class CallableWorker:
    """Answer with what a call returns; an exception becomes an answer that says so.

    Attributes:
        name: the worker's name, for messages.
        call: takes the input and the options of a chat model.
        takes: the form of the input.
        bounded: whether the call has the option `max_tokens`.
    """

    name: str
    call: Callable[..., Awaitable[Any]]
    takes: Input = Input()
    bounded: bool = False

    @property
    def sees_conversation(self) -> bool:
        """Return whether the call gets more than the query."""
        return self.takes.form == "messages"

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer with the output as text; `declined` where it is empty, `unavailable` where the call fails.

        Raises:
            SpecError: the output is of a kind that holds no answer.
        """
        if request.attachments and self.takes.form == "text":
            return WorkerAnswer("declined", refusal(self.name, modalities_of(request.attachments)))
        question = human(request.query, request.attachments)
        asked = chat_messages([*request.conversation, question, *request.since])
        messages = [one.model_copy(update={"id": one.id or uuid4().hex}) for one in asked]
        given: Any = request.query if self.takes.form == "text" else messages
        most = request.generation.max_tokens
        options = {"max_tokens": most} if self.bounded and most else {}
        try:
            output = await self.call({self.takes.key: given} if self.takes.key else given, **options)
        except GraphBubbleUp:  # a question to the user, or a command for the graph around this one
            raise
        except Exception as error:  # user code may raise anything
            why = f"raised {type(error).__name__}"
            found = known_fault(error) or fault("server_error", why, hint=_LOGGED, detail=str(error))
            return self._unavailable(found, request)
        if isinstance(output, dict) and output.get("__interrupt__"):
            why = "asked a question back, which stays in its own checkpointer"
            return self._unavailable(fault("declined", why, hint="Compile it without one."), request)
        text, usage = self._read(output, {str(one.id) for one in messages})
        if not text.strip():
            text = f"{self.name} gave an empty answer."
            return WorkerAnswer("declined", text, failure=failure("empty_reply"))
        return WorkerAnswer("answered", text, {"usage": dict(usage)} if usage else {})

    def _read(self, output: Any, asked: Collection[str]) -> tuple[str, UsageMetadata | None]:
        """Read text and usage of an output; `asked` are the ids of the messages that it was given.

        Raises:
            SpecError: it holds no answer.
        """
        if output is None or isinstance(output, str):
            return output or "", None
        if isinstance(output, AIMessage):
            return str(output.text), output.usage_metadata
        if isinstance(output, Mapping):
            if isinstance(output.get("messages"), list | tuple):
                return self._last(output["messages"], asked)
            if key := next((one for one in ANSWER_KEYS if one in output), None):
                value = output[key]
                if value is None or isinstance(value, str | AIMessage):
                    return self._read(value, asked)
                raise self._unreadable(f"{key!r}: {type(value).__name__}")
            keys = ", ".join(map(repr, output))
            raise self._unreadable(f"a dict with the keys {keys}" if keys else "a dict with no keys")
        raise self._unreadable(f"an object of type {type(output).__name__}")

    def _last(self, given: Sequence[Any], asked: Collection[str]) -> tuple[str, UsageMetadata | None]:
        """Read the text of the last new AI message, and the usage of all of them."""
        try:
            messages = convert_to_messages(given)
        except (ValueError, NotImplementedError) as error:
            raise self._unreadable("messages of another form") from error
        new = [one for one in messages if isinstance(one, AIMessage) and one.id not in asked]
        usage: UsageMetadata | None = None
        for one in new:
            usage = add_usage(usage, one.usage_metadata) if one.usage_metadata else usage
        return (str(new[-1].text) if new else ""), usage

    def _unreadable(self, what: str) -> SpecError:
        known = ", ".join(("messages", *ANSWER_KEYS))
        return SpecError(
            f"worker {self.name!r} returned {what}, which is no answer.",
            hint=f"Return text, an AI message, or a dict with one of {known}.",
        )

    def _unavailable(self, why: Fault, request: WorkerRequest) -> WorkerAnswer:
        why.log(request.idempotency_key, self.name)
        text = f"{self.name} was chosen, but it {why.why}. {why.hint}"
        return WorkerAnswer("unavailable", text, failure=why.failure)


def as_worker(thing: object, name: str) -> Worker:
    """Make a worker of `thing`.

    A chat model gets messages. A compiled graph, an agent or another runnable gets `{"messages": […]}` where
    its input has messages, else the query as text, in a dict where its input is one. A function gets the
    query as text; a sync one runs in a thread. A worker is returned as it is.

    Args:
        thing: a chat model, a compiled graph, another runnable, or a function of text to text, sync or async.
        name: the worker's name, for messages.

    Raises:
        SpecError: it is nothing of that, or takes another input.
    """
    if isinstance(thing, BaseChatModel):
        return CallableWorker(name, thing.ainvoke, Input("messages"), bounded=True)
    if isinstance(thing, Runnable):
        return CallableWorker(name, thing.ainvoke, _input_of(thing, name))
    if not isinstance(thing, type):
        if inspect.iscoroutinefunction(getattr(thing, "answer", None)):
            return thing  # type: ignore[return-value]
        if callable(thing):
            return CallableWorker(name, _function(thing, name))
    hint = (
        "Compile it first." if hasattr(thing, "compile") else "Give a runnable, a chat model or a function."
    )
    raise SpecError(f"worker {name!r}: {_shown(thing)} cannot answer.", hint=hint)


def with_tools(worker: Worker, given: Connection) -> Worker:
    """Return the worker of a chat model with tools that the model may call.

    Raises:
        SpecError: it is no chat model.
    """
    model = getattr(getattr(worker, "call", None), "__self__", None)
    if not isinstance(model, BaseChatModel):
        raise SpecError(
            f"worker {given.name!r} is no chat model: it calls no tools.", hint="Give it its tools itself."
        )
    name = str(getattr(model, "model_name", None) or getattr(model, "model", None) or model._llm_type)
    return GivenReference(name=name, model=model).connect(given)


def _function(function: Callable[..., Any], name: str) -> Callable[[str], Awaitable[Any]]:
    try:
        inspect.signature(function).bind("query")
    except TypeError as error:
        raise SpecError(
            f"worker {name!r}: {_shown(function)} cannot be called with one text: {error}.",
            hint="Write it as (str) -> str.",
        ) from error
    except ValueError:  # a builtin without a signature
        pass
    is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - of an object whose call is async
    )

    async def call(query: str) -> Any:
        found = await function(query) if is_async else await asyncio.to_thread(function, query)
        return await found if inspect.isawaitable(found) else found

    return call


def _input_of(thing: Runnable[Any, Any], name: str) -> Input:
    """Say how a runnable takes a query, by the schema of its input.

    Raises:
        SpecError: it takes a dict, and none of its keys is that of a question.
    """
    keys, form = _keys(thing)
    if "messages" in keys:
        return Input("messages", "messages")
    if form == "array":
        return Input("messages")
    if not keys:
        return Input()
    key = next((one for one in QUESTION_KEYS if one in keys), keys[0] if len(keys) == 1 else None)
    if key is None:
        known = ", ".join(("messages", *QUESTION_KEYS))
        raise SpecError(
            f"worker {name!r} takes {', '.join(map(repr, keys))}: which of them is the question?",
            hint=f"Its input must have one of {known}.",
        )
    return Input("text", key)


def _keys(thing: Runnable[Any, Any]) -> tuple[list[str], str]:
    """Return the keys of a runnable's input, and the JSON type of the whole."""
    if isinstance(thing, CompiledStateGraph):  # it may have no JSON schema, and needs none
        return list(get_type_hints(thing.builder.input_schema)), "object"
    try:
        schema = _schema(thing)
    except Exception:  # Pydantic may not know the user's types
        return [], ""
    return list(schema.get("properties", {})), str(schema.get("type", ""))


def _schema(thing: Runnable[Any, Any]) -> dict[str, Any]:
    function = getattr(thing, "func", None) or getattr(thing, "afunc", None)
    if isinstance(thing, RunnableLambda) and function is not None:
        first = next(iter(inspect.signature(function).parameters.values()))
        if isinstance(first.annotation, str):  # postponed, which LangChain does not see through
            return TypeAdapter(get_type_hints(function)[first.name]).json_schema()
    return thing.get_input_jsonschema()


def _shown(thing: object) -> str:
    named = getattr(thing, "__name__", "")
    return f"{'the class' if isinstance(thing, type) else 'the object'} {named or repr(thing)[:80]}"
