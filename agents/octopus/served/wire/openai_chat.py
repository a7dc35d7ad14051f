"""Any OpenAI-compatible server: `/chat/completions` with a JSON schema and log-probabilities where given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from agents.octopus.served.wire.http import Replicas, Reply, Request
from agents.octopus.served.wire.letters import Position, letter_in, letters_at

_MOST_TOKENS = 24  # of {"letter": "B"}, even spelt out


class ChatMessage(Request):
    """One message."""

    role: str
    content: str


class ChatRequest(Request):
    """The fields of `/chat/completions` that are used."""

    model: str
    messages: list[ChatMessage]
    max_tokens: int
    temperature: float = 0.0
    logprobs: bool | None = None
    top_logprobs: int | None = None
    response_format: dict[str, Any] | None = None


class Content(Reply):
    """Log-probabilities of the reply's tokens."""

    content: list[Position] | None = None


class Written(Reply):
    """The reply."""

    content: str | None = None


class ChatChoice(Reply):
    """One reply, with its log-probabilities if the server gives them."""

    message: Written
    logprobs: Content | None = None


class ChatReply(Reply):
    """What either gets."""

    choices: list[ChatChoice] = Field(min_length=1)


def chat(system: str, user: str) -> list[ChatMessage]:
    """What a model is asked."""
    return [ChatMessage(role="system", content=system), ChatMessage(role="user", content=user)]


def letters_schema(labels: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of one letter."""
    return {"type": "string", "enum": list(labels)}


@dataclass
class OpenAIChatEngine:
    """Chooses and writes on an OpenAI-compatible server.

    Attributes:
        replicas: of the server; the URLs end in `/v1`, as its clients want them.
        model: its name there.
    """

    replicas: Replicas
    model: str
    most_choices: int = 20  # of `top_logprobs`

    async def choose(
        self, system: str, user: str, labels: Sequence[str], temperature: float = 0.0
    ) -> tuple[str, Mapping[str, float] | None]:
        """See `ChatEngine`."""
        letter = {"letter": letters_schema(labels)}  # OpenAI itself insists on an object
        schema = {"type": "object", "properties": letter, "required": ["letter"]}
        body = ChatRequest(
            model=self.model,
            messages=chat(system, user),
            max_tokens=_MOST_TOKENS,
            temperature=temperature,
            logprobs=True,
            top_logprobs=self.most_choices,
            response_format={
                "type": "json_schema",
                "json_schema": {
                    "name": "letter",
                    "strict": True,
                    "schema": schema | {"additionalProperties": False},
                },
            },
        )
        choice = (await self.replicas.post("/chat/completions", body, ChatReply)).choices[0]
        written = letter_in(choice.message.content or "", labels)
        return written, letters_at(choice.logprobs.content if choice.logprobs else None, written, labels)

    async def write(self, system: str, user: str, most: int) -> str:
        """See `ChatEngine`."""
        body = ChatRequest(model=self.model, messages=chat(system, user), max_tokens=most)
        choice = (await self.replicas.post("/chat/completions", body, ChatReply)).choices[0]
        return choice.message.content or ""
