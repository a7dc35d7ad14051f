"""A worker that is a language model on an OpenAI-compatible server: Ollama, vLLM, LM Studio, llama.cpp."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from langchain_core.messages import HumanMessage, SystemMessage

from agents.errors import SpecError
from agents.types import WorkerAnswer, WorkerRequest

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

HOW_TO_CONNECT = (
    "For all workers at once: OCTOPUS_MODEL=openai:llama3.2@http://localhost:11434/v1 (Ollama; vLLM, "
    "LM Studio and llama.cpp work the same way), or one worker: `model:` in its spec. `octopus doctor` "
    "shows which servers answer on this machine."
)
_REFERENCE = re.compile(r"openai:(?P<name>[^@\s]+(?:@[^@\s]+)*)@(?P<url>https?://\S+)")


@dataclass(frozen=True, slots=True)
class ModelReference:
    """A model's name and the base URL of the server that has it."""

    name: str
    url: str

    @classmethod
    def parse(cls, text: str) -> ModelReference:
        """Read `openai:NAME@URL`.

        Raises:
            SpecError: it has another form.
        """
        match = _REFERENCE.fullmatch(text.strip())
        if not match or not urlsplit(match["url"]).hostname:
            raise SpecError(
                f"the model {text!r} is not understood.",
                hint="Write openai:NAME@URL, e.g. openai:llama3.2@http://localhost:11434/v1.",
            )
        return cls(match["name"], match["url"])

    @property
    def shown(self) -> str:
        """The URL as it may be told: without a password or query, which may be a key."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


@dataclass
class LanguageModel:
    """Answers with a chat model.

    Attributes:
        node: the worker's name, for messages.
        reference: which model, where.
        prompt: system prompt; "" sends none.
        timeout: seconds for one request.
        retries: how often a failed request is sent again.
    """

    node: str
    reference: ModelReference
    prompt: str = ""
    timeout: float = 60.0
    retries: int = 2

    @cached_property
    def chat(self) -> BaseChatModel:
        """The client; made on first use."""
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        return ChatOpenAI(
            model=self.reference.name,
            base_url=self.reference.url,
            api_key=SecretStr(self._key),
            timeout=self.timeout,
            max_retries=self.retries,
            streaming=True,
            stream_usage=True,
        )

    @property
    def _key(self) -> str:
        return os.environ.get("OPENAI_API_KEY") or "none"

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Stream the model's answer; `unavailable` when the server cannot be reached or refuses."""
        from openai import APIConnectionError, APIError, APITimeoutError

        messages = [*request.conversation, HumanMessage(request.query)]
        if self.prompt:
            messages = [SystemMessage(self.prompt), *messages]
        options: dict[str, Any] = {"extra_headers": {"Idempotency-Key": request.idempotency_key}}
        if request.max_tokens is not None:
            options["max_tokens"] = request.max_tokens
        try:
            reply = await self.chat.ainvoke(messages, **options)
        except APITimeoutError:
            return self._unavailable(f"nothing within {self.timeout:g} seconds")
        except APIConnectionError as error:
            return self._unavailable(f"nothing answers there ({type(error).__name__})")
        except APIError as error:
            # Some servers repeat the key that they refuse.
            said = error.message.replace(self._key, "[key]")
            return self._unavailable(f"the server said: {said}")
        usage = dict(reply.usage_metadata or {})
        return WorkerAnswer("answered", str(reply.text), {"model": self.reference.name, "usage": usage})

    def _unavailable(self, why: str) -> WorkerAnswer:
        return WorkerAnswer(
            "unavailable",
            f"{self.node} was chosen, but its model {self.reference.name!r} at {self.reference.shown} "
            f"gave no answer: {why}. Start the server, or connect another. {HOW_TO_CONNECT}",
            {"model": self.reference.name},
        )
