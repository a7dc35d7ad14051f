"""Ask servers of plain chat models for a letter: OpenAI-compatible ones, Ollama, and llama.cpp's own.

OpenAI's format is `/chat/completions` with a JSON schema, and log-probabilities if the server gives them.
Ollama's is `/api/chat` with `format` and, from 0.12.11 on, log-probabilities; that of llama.cpp is
`/apply-template`, then `/completion` with a grammar, and probabilities before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from agents.octopus.served.http import Replicas, ReplyBody, RequestBody
from agents.octopus.served.scorers import illegal

_MOST_TOKENS = 24  # of {"letter": "B"}, even spelt out


class ChatMessage(RequestBody):
    """Define one message."""

    role: str
    content: str


class _ChatRequest(RequestBody):
    model: str
    messages: list[ChatMessage]
    max_tokens: int
    temperature: float = 0.0
    logprobs: bool | None = None
    top_logprobs: int | None = None
    response_format: dict[str, Any] | None = None


class Alternative(ReplyBody):
    """Read a token that the model might have written."""

    token: str
    logprob: float


class Position(Alternative):
    """Read a token that it wrote."""

    top_logprobs: list[Alternative] = Field(default_factory=list)


class _Content(ReplyBody):
    content: list[Position] | None = None


class _Written(ReplyBody):
    content: str | None = None


class _ChatChoice(ReplyBody):
    message: _Written
    logprobs: _Content | None = None


class ChatReply(ReplyBody):
    """Read a reply, a letter or a text."""

    choices: list[_ChatChoice] = Field(min_length=1)


def chat(system: str, user: str) -> list[ChatMessage]:
    """Return what a model is asked."""
    return [ChatMessage(role="system", content=system), ChatMessage(role="user", content=user)]


def letters_schema(labels: Sequence[str]) -> dict[str, Any]:
    """Return the JSON schema of one letter."""
    return {"type": "string", "enum": list(labels)}


@dataclass
class OpenAIChatEngine:
    """Choose and write on an OpenAI-compatible server.

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
        """Return the letter that the model writes, and log-probabilities; see `ChatEngine`."""
        letter = {"letter": letters_schema(labels)}  # OpenAI itself insists on an object
        schema = {"type": "object", "properties": letter, "required": ["letter"]}
        body = _ChatRequest(
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
        """Write greedily, at most `most` tokens."""
        body = _ChatRequest(model=self.model, messages=chat(system, user), max_tokens=most)
        choice = (await self.replicas.post("/chat/completions", body, ChatReply)).choices[0]
        return choice.message.content or ""


class _OllamaOptions(RequestBody):
    temperature: float = 0.0
    num_predict: int


class _OllamaRequest(RequestBody):
    model: str
    messages: list[ChatMessage]
    options: _OllamaOptions
    stream: bool = False
    format: dict[str, Any] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class _OllamaMessage(ReplyBody):
    content: str


class _OllamaReply(ReplyBody):
    """Read a reply, a letter or a text; older servers give no log-probabilities."""

    message: _OllamaMessage
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
        body = _OllamaRequest(
            model=self.model,
            messages=chat(system, user),
            options=_OllamaOptions(num_predict=8, temperature=temperature),
            format=letters_schema(labels),
            logprobs=True,
            top_logprobs=self.most_choices,
        )
        reply = await self.replicas.post("/api/chat", body, _OllamaReply)
        letter = letter_in(reply.message.content, labels)
        return letter, letters_at(reply.logprobs, letter, labels)

    async def write(self, system: str, user: str, most: int) -> str:
        """Write greedily, at most `most` tokens."""
        body = _OllamaRequest(
            model=self.model, messages=chat(system, user), options=_OllamaOptions(num_predict=most)
        )
        return (await self.replicas.post("/api/chat", body, _OllamaReply)).message.content


class _TemplateRequest(RequestBody):
    messages: list[ChatMessage]


class _TemplateReply(ReplyBody):
    prompt: str


class _LlamaCppRequest(RequestBody):
    prompt: str
    n_predict: int
    temperature: float = 0.0
    grammar: str | None = None
    n_probs: int | None = None
    cache_prompt: bool = True


class _LlamaCppReply(ReplyBody):
    content: str
    completion_probabilities: list[Position] | None = None


@dataclass
class LlamaCppEngine:
    """Choose and write on a llama.cpp server, which has one model.

    Attributes:
        replicas: of the server; the URLs have no path.
    """

    replicas: Replicas
    most_choices: int = 26
    listed: int = 200  # tokens before the grammar: letters may be far down

    async def choose(
        self, system: str, user: str, labels: Sequence[str], temperature: float = 0.0
    ) -> tuple[str, Mapping[str, float] | None]:
        """Return the letter that the model writes, and log-probabilities; see `ChatEngine`."""
        body = _LlamaCppRequest(
            prompt=await self._prompt(system, user),
            n_predict=2,
            temperature=temperature,
            grammar="root ::= " + " | ".join(f'"{label}"' for label in labels),
            n_probs=self.listed,
        )
        reply = await self.replicas.post("/completion", body, _LlamaCppReply)
        letter = letter_in(reply.content, labels)
        return letter, letters_at(reply.completion_probabilities, letter, labels)

    async def write(self, system: str, user: str, most: int) -> str:
        """Write greedily, at most `most` tokens."""
        body = _LlamaCppRequest(prompt=await self._prompt(system, user), n_predict=most)
        return (await self.replicas.post("/completion", body, _LlamaCppReply)).content

    async def _prompt(self, system: str, user: str) -> str:
        body = _TemplateRequest(messages=chat(system, user))
        return (await self.replicas.post("/apply-template", body, _TemplateReply)).prompt


def letter_in(content: str, labels: Sequence[str]) -> str:
    """Return the letter of a reply such as `B`, `"B"` or `{"letter": "B"}`.

    Raises:
        RoutingError: it is none of the labels.
    """
    found = _bare(content.replace('"letter"', ""))
    if found not in labels:
        raise illegal(content[:40], labels)
    return found


def letters_at(
    positions: Sequence[Position] | None, letter: str, labels: Sequence[str]
) -> Mapping[str, float] | None:
    """Return log-probabilities of the labels where `letter` was written; None if there are none."""
    place = next((one for one in positions or () if _bare(one.token) == letter), None)
    if place is None:
        return None
    found: dict[str, list[float]] = {letter: []}
    for one in place.top_logprobs or [place]:
        if (label := _bare(one.token)) in labels:  # `"A` and ` A` are A too
            found.setdefault(label, []).append(one.logprob)
    found[letter] = found[letter] or [place.logprob]
    return {label: math.log(sum(map(math.exp, values)) or 5e-324) for label, values in found.items()}


def _bare(token: str) -> str:
    return token.strip(' \t\n":{}')
