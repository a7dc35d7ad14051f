"""Ask llama.cpp's server: `/apply-template`, then `/completion` with a grammar, probabilities before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.octopus.served.wire.http import Replicas, ReplyBody, RequestBody
from agents.octopus.served.wire.openai_chat import ChatMessage, Position, chat, letter_in, letters_at


class _TemplateRequest(RequestBody):
    messages: list[ChatMessage]


class _TemplateReply(ReplyBody):
    prompt: str


class _CompletionRequest(RequestBody):
    prompt: str
    n_predict: int
    temperature: float = 0.0
    grammar: str | None = None
    n_probs: int | None = None
    cache_prompt: bool = True


class _CompletionReply(ReplyBody):
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
        body = _CompletionRequest(
            prompt=await self._prompt(system, user),
            n_predict=2,
            temperature=temperature,
            grammar="root ::= " + " | ".join(f'"{label}"' for label in labels),
            n_probs=self.listed,
        )
        reply = await self.replicas.post("/completion", body, _CompletionReply)
        letter = letter_in(reply.content, labels)
        return letter, letters_at(reply.completion_probabilities, letter, labels)

    async def write(self, system: str, user: str, most: int) -> str:
        """Write greedily, at most `most` tokens."""
        body = _CompletionRequest(prompt=await self._prompt(system, user), n_predict=most)
        return (await self.replicas.post("/completion", body, _CompletionReply)).content

    async def _prompt(self, system: str, user: str) -> str:
        body = _TemplateRequest(messages=chat(system, user))
        return (await self.replicas.post("/apply-template", body, _TemplateReply)).prompt
