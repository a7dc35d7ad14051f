"""Ask Ollama: `/api/chat` with `format` and, from 0.12.11 on, log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.octopus.served.wire.http import Replicas, ReplyBody, RequestBody
from agents.octopus.served.wire.openai_chat import (
    ChatMessage,
    Position,
    chat,
    letter_in,
    letters_at,
    letters_schema,
)


class _Options(RequestBody):
    temperature: float = 0.0
    num_predict: int


class _ChatRequest(RequestBody):
    model: str
    messages: list[ChatMessage]
    options: _Options
    stream: bool = False
    format: dict[str, Any] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class _Written(ReplyBody):
    content: str


class ChatReply(ReplyBody):
    """Read what either gets; older servers give no log-probabilities."""

    message: _Written
    logprobs: list[Position] | None = None


@dataclass
class OllamaEngine:
    """Choose and write on Ollama.

    Attributes:
        replicas: of the server; the URLs have no path.
        model: its name there.
    """

    replicas: Replicas
    model: str
    most_choices: int = 20  # of `top_logprobs`

    async def choose(
        self, system: str, user: str, labels: Sequence[str], temperature: float = 0.0
    ) -> tuple[str, Mapping[str, float] | None]:
        """Return the letter that the model writes, and log-probabilities; see `ChatEngine`."""
        body = _ChatRequest(
            model=self.model,
            messages=chat(system, user),
            options=_Options(num_predict=8, temperature=temperature),
            format=letters_schema(labels),
            logprobs=True,
            top_logprobs=self.most_choices,
        )
        reply = await self.replicas.post("/api/chat", body, ChatReply)
        letter = letter_in(reply.message.content, labels)
        return letter, letters_at(reply.logprobs, letter, labels)

    async def write(self, system: str, user: str, most: int) -> str:
        """Write greedily, at most `most` tokens."""
        body = _ChatRequest(model=self.model, messages=chat(system, user), options=_Options(num_predict=most))
        return (await self.replicas.post("/api/chat", body, ChatReply)).message.content
