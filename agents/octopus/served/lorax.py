"""Ask LoRAX: `/generate` with `return_k_alternatives`.

It cannot be constrained to tokens, so an illegal one fails. It takes text, not ids; a functional token among
the alternatives is known by its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from agents.octopus.served.http import Replicas, ReplyBody, RequestBody
from agents.octopus.served.scorers import Completion, RouterPrompt, illegal

_LEAST_ALTERNATIVES = 16


class _Parameters(RequestBody):
    max_new_tokens: int
    do_sample: bool = False
    details: bool = True
    adapter_id: str | None = None
    adapter_source: str | None = None
    return_k_alternatives: int | None = None
    stop: list[str] | None = None


class _GenerateRequest(RequestBody):
    inputs: str
    parameters: _Parameters


class Alternative(ReplyBody):
    """Read a token that the model might have written."""

    text: str
    logprob: float


class _Token(ReplyBody):
    text: str
    logprob: float
    alternative_tokens: list[Alternative] | None = None


class _Details(ReplyBody):
    finish_reason: str
    tokens: list[_Token] = Field(min_length=1)


class _GenerateReply(ReplyBody):
    details: _Details


@dataclass
class LoraxEngine:
    """Score and complete on LoRAX.

    Attributes:
        replicas: of the server.
        adapter: id of the LoRA adapter; "" asks the base.
    """

    replicas: Replicas
    adapter: str = ""
    constrains: bool = False

    async def score(
        self, prompt: RouterPrompt, tokens: Sequence[str], only: Sequence[str] = ()
    ) -> dict[str, float]:
        """Return the log-probability of each token as the next; see `TokenEngine`.

        A token beyond the alternatives has at most the least of theirs, and is given it.
        """
        wanted = max(_LEAST_ALTERNATIVES, len(tokens))
        reply = await self._ask(prompt, 1, return_k_alternatives=wanted)
        chosen = reply.details.tokens[0]
        if chosen.text.strip() not in tokens:
            raise illegal(chosen.text, tokens)
        given = {one.text.strip(): one.logprob for one in chosen.alternative_tokens or ()}
        given[chosen.text.strip()] = chosen.logprob
        least = min(given.values())
        return {token: given.get(token, least) for token in tokens}

    async def complete(self, prompt: RouterPrompt, end: str, most: int) -> Completion:
        """Write what follows the prompt, up to `end`; see `TokenEngine`."""
        reply = await self._ask(prompt, most, stop=[end])
        texts = [token.text for token in reply.details.tokens]  # `generated_text` has no special tokens
        text, found, _ = "".join(texts).partition(end)
        return Completion(text, bool(found))

    async def _ask(
        self,
        prompt: RouterPrompt,
        most: int,
        return_k_alternatives: int | None = None,
        stop: list[str] | None = None,
    ) -> _GenerateReply:
        parameters = _Parameters(
            max_new_tokens=most,
            adapter_id=self.adapter or None,
            adapter_source="local" if self.adapter.startswith("/") else None,
            return_k_alternatives=return_k_alternatives,
            stop=stop,
        )
        body = _GenerateRequest(inputs=prompt.text, parameters=parameters)
        return await self.replicas.post("/generate", body, _GenerateReply)
