"""Connect chat models: on an OpenAI-compatible server, at a provider, or in this process."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast
from urllib.parse import parse_qsl, urlsplit

from langchain_core.messages import BaseMessage

from agents.errors import ModelUnavailableError, OctopusGraphError, SpecError
from agents.generation import Generation
from agents.settings import ProviderKeys
from agents.types import Worker, WorkerRequest
from agents.workers.models.chat_reference import ANSWER_TOKENS, ChatReference
from agents.workers.models.reference import NAME_AT_URL, Connection

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from pydantic import SecretStr

    from agents.workers.models.chat_reference import Asked
    from agents.workers.models.local_chat import LocalChat

_CLIENT_OPTIONS = frozenset(  # of the client's own signature; what else a server takes goes into the body
    "temperature top_p stop seed n logprobs top_logprobs presence_penalty frequency_penalty logit_bias "
    "reasoning_effort tools tool_choice parallel_tool_calls".split()
)
_CONNECT = 10.0  # seconds
_OPTIONS: Mapping[str, re.Pattern[str]] = {
    "dtype": re.compile("auto|float32|bfloat16|float16"),
    "device": re.compile(r"cpu|mps|(cuda|xpu)(:\d+)?"),
    "load": re.compile("4bit|8bit"),
}


class Connectable(ChatReference):
    """Connect a chat model as a worker."""

    def connect(self, given: Connection) -> Worker:
        """Build the worker."""
        from agents.workers.models.language_model import LanguageModel

        return LanguageModel(self, given)


@dataclass(frozen=True)
class OpenAIReference(Connectable):
    """Name a model on a server that speaks OpenAI's protocol."""

    kind = "openai"
    form = "openai:NAME@URL"
    pattern = NAME_AT_URL
    health = "/models"
    takes = frozenset(Generation.model_fields)
    key: ClassVar[str] = "openai"

    def chat(self, given: Connection) -> BaseChatModel:
        """Build a client with a timeout for each request."""
        from httpx2 import Timeout
        from pydantic import SecretStr

        from agents.workers.models.served_chat import ServedChat
        from agents.workers.models.wire import clients

        return ServedChat(
            model=self.name,
            base_url=self.base_url,
            api_key=self.secret or SecretStr("none"),
            timeout=Timeout(given.timeout, connect=min(given.timeout, _CONNECT)),
            stream_chunk_timeout=None,  # the client keeps the time
            max_retries=0,  # the worker asks again itself, within its time
            streaming=True,
            stream_usage=True,
            use_responses_api=False,
            **clients(),
        )

    def call_options(self, request: WorkerRequest, room: int | None) -> dict[str, Any]:
        """Add the key by which a server recognises a repeated request."""
        given = super().call_options(request, room)
        if "max_tokens" in given and urlsplit(self.url).hostname == "api.openai.com":
            given["max_completion_tokens"] = given.pop("max_tokens")
        options = {name: given.pop(name) for name in _CLIENT_OPTIONS & given.keys()}
        options["extra_headers"] = {"Idempotency-Key": request.idempotency_key}
        # The client would stream a `response_format` in a way of its own, and rename `max_tokens`.
        return options | ({"extra_body": given} if given else {})

    @property
    def base_url(self) -> str:
        """Return the URL below which the protocol is spoken."""
        return self.url

    @property
    def secret(self) -> SecretStr | None:
        """Return the key that the server is sent."""
        key: SecretStr | None = getattr(ProviderKeys.read(), self.key)
        return key

    def window(self, chat: BaseChatModel) -> int | None:
        """Return what a server on this machine says; of others, what LangChain knows of the model."""
        from agents.workers.models.servers import window_of

        return window_of(self.base_url, self.name) or super().window(chat)

    def trouble(self) -> str:
        """Say also where a server on this machine does not have the model, and what it has."""
        from agents.workers.models.servers import missing, server_at

        server = server_at(self.base_url)
        if server is None or server.fault or not server.kind or server.asked(self.name):
            return super().trouble()
        return missing(self.name, [server], f"{server.title} does not have")


@dataclass(frozen=True)
class EndpointReference(OpenAIReference):
    """Name an inference endpoint of Hugging Face, whose server speaks OpenAI's protocol below /v1.

    The server, Text Generation Inference, takes any name of a model, and calls its own `tgi`. LangChain's
    `HuggingFaceEndpoint` would ask every server for a model called "dummy".
    """

    kind = "hf-endpoint"
    form = "hf-endpoint:URL or hf-endpoint:NAME@URL"
    pattern = re.compile(r"(?:(?P<name>\S+)@)?(?P<url>https?://\S+)")
    health = ""
    key = "huggingface"

    name: str = "tgi"

    @property
    def base_url(self) -> str:
        """Return the URL, with /v1 if it is not there."""
        url = self.url.rstrip("/")
        return url if url.endswith("/v1") else f"{url}/v1"


@dataclass(frozen=True)
class ProviderReference(Connectable):
    """Name a model of a provider that LangChain's `init_chat_model` knows."""

    kind = "provider"
    form = "provider:PROVIDER:NAME or provider:NAME"
    pattern = re.compile(r"(?P<name>[^\s:]+(:\S+)?)")
    keeps_time = False
    takes = frozenset({"max_tokens", "temperature", "top_p", "stop", "tools", "tool_choice"})

    def bound(self, chat: BaseChatModel, options: dict[str, Any]) -> Asked:
        """Offer tools in the provider's own form."""
        tools, choice = options.pop("tools", None), options.pop("tool_choice", None)
        return chat.bind_tools(tools, tool_choice=choice) if tools else chat

    def chat(self, given: Connection) -> BaseChatModel:
        """Build the provider's own client.

        Raises:
            ModelUnavailableError: a package or a key is missing.
        """
        try:
            from langchain.chat_models import init_chat_model
        except ModuleNotFoundError as error:
            raise ModelUnavailableError(
                f"the package {error.name!r} is not installed.",
                hint="Install the extra: pip install -e '.[provider]'.",
            ) from error
        try:
            return init_chat_model(self.name)
        except ImportError as error:  # it names the package to install
            raise ModelUnavailableError(f"the provider of {self.name!r}: {error}") from error
        except Exception as error:  # each provider checks its settings in its own way
            raise ModelUnavailableError(
                f"the provider of {self.name!r}: {error}",
                hint="Is its key set, and does init_chat_model know it?",
            ) from error


@dataclass(frozen=True)
class LocalReference(Connectable):
    """Name a model that this process loads, with or without a LoRA adapter."""

    kind = "hf"
    form = "hf:ORG/NAME or hf:FOLDER, then #ADAPTER and ?dtype=bfloat16&device=cuda&load=4bit as needed"
    pattern = re.compile(r"(?P<name>[^#?\r\n]+)(?:#(?P<adapter>[^#?\r\n]+))?")
    text_only = True
    takes = frozenset({"max_tokens", "temperature", "stop", "seed"})

    @classmethod
    def parse(cls, rest: str) -> Self | None:
        """Read `NAME[#ADAPTER][?OPTION=VALUE&…]`; return None if it has another form."""
        rest, mark, given = rest.partition("?")
        found = super().parse(rest)
        try:
            options = dict(parse_qsl(given, strict_parsing=bool(mark)))
        except ValueError:
            return None
        known = all(name in _OPTIONS and _OPTIONS[name].fullmatch(own) for name, own in options.items())
        return replace(found, options=options) if found and known else None

    def beside(self, folder: Path | None) -> LocalReference:
        """Return the reference with its paths resolved in `folder`, where they exist there."""

        def found(name: str) -> str:
            return str(folder / name) if folder and name and (folder / name).is_dir() else name

        return replace(self, name=found(self.name), adapter=found(self.adapter))

    def connect(self, given: Connection) -> Worker:
        """Build the worker; its folders are looked for in the given folder first."""
        return super(LocalReference, self.beside(given.folder)).connect(given)

    def chat(self, given: Connection) -> BaseChatModel:
        """Build a chat model that loads when it is first asked.

        Raises:
            SpecError: no manager is given.
        """
        if given.manager is None:
            raise SpecError(f"the model {self} needs a model manager.", hint="Give the connection one.")
        from agents.workers.models.local_chat import LocalChat

        return LocalChat(reference=self, manager=given.manager)

    def call_options(self, request: WorkerRequest, room: int | None) -> dict[str, Any]:
        """Keep the answer within the room that the prompt leaves in the window."""
        given = super().call_options(request, room)
        if room is not None:
            given["max_tokens"] = min(given.get("max_tokens", ANSWER_TOKENS), room)
        return given

    def window(self, chat: BaseChatModel) -> int | None:
        """Return what the model's settings say; blocking, loads it."""
        return cast("LocalChat", chat).window()

    def count(self, chat: BaseChatModel, messages: Sequence[BaseMessage]) -> int:
        """Count by the model's own tokenizer; blocking, loads it."""
        return cast("LocalChat", chat).count(messages)

    def warm(self, chat: Callable[[], BaseChatModel]) -> None:
        """Begin to load the model, in a thread."""

        def start() -> None:
            with suppress(OctopusGraphError):  # raised again when the worker is asked
                cast("LocalChat", chat()).warm()

        threading.Thread(target=start, name="warm-up", daemon=True).start()
