"""Ask vLLM: `/v1/completions` with `allowed_token_ids`, `logprob_token_ids`; adapters are models' names.

Log-probabilities are raw, over the whole vocabulary, so that those of several requests can be compared.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from agents.octopus.served.http import Replicas, ReplyBody, RequestBody
from agents.octopus.served.scorers import Completion, RouterPrompt, illegal
from agents.octopus.served.token_ids import TokenIds

MOST_SCORED = 128  # ids of `logprob_token_ids` in one request
_PLACEHOLDER = re.compile(r"token_id:(\d+)")


class _CompletionRequest(RequestBody):
    model: str
    prompt: list[int]
    max_tokens: int
    temperature: float = 0.0
    allowed_token_ids: list[int] | None = None
    logprobs: int | None = None
    logprob_token_ids: list[int] | None = Field(default=None, max_length=MOST_SCORED)
    return_tokens_as_token_ids: bool | None = None
    stop_token_ids: list[int] | None = None
    skip_special_tokens: bool | None = None
    spaces_between_special_tokens: bool | None = None


class _Logprobs(ReplyBody):
    """Read log-probabilities of the generated tokens, each spelt `token_id:N`."""

    tokens: list[str] = Field(min_length=1)
    top_logprobs: list[dict[str, float]] = Field(min_length=1)


class _ScoredChoice(ReplyBody):
    logprobs: _Logprobs


class _ScoredReply(ReplyBody):
    choices: list[_ScoredChoice] = Field(min_length=1)


class _TextChoice(ReplyBody):
    text: str
    finish_reason: str | None
    stop_reason: int | str | None = None


class _TextReply(ReplyBody):
    choices: list[_TextChoice] = Field(min_length=1)


@dataclass
class VllmEngine:
    """Score and complete on vLLM.

    Attributes:
        replicas: of the server.
        ids: of its base model.
        adapter: name of the LoRA adapter; "" asks the base.
    """

    replicas: Replicas
    ids: TokenIds
    adapter: str = ""
    constrains: bool = True

    async def score(
        self, prompt: RouterPrompt, tokens: Sequence[str], only: Sequence[str] = ()
    ) -> dict[str, float]:
        """Return the log-probability of each token as the next; see `TokenEngine`."""
        candidates = await self.ids.tokens(tokens)
        allowed = [await self.ids.token(token) for token in only or tokens]
        text = await self.ids.prompt(prompt, candidates.keys())
        listed = list(candidates)
        chunks = [listed[start : start + MOST_SCORED] for start in range(0, len(listed), MOST_SCORED)]
        found = await asyncio.gather(*(self._score(text, allowed, chunk, only or tokens) for chunk in chunks))
        return {candidates[one]: lp for chunk in found for one, lp in chunk.items()}

    async def complete(self, prompt: RouterPrompt, end: str, most: int) -> Completion:
        """Write what follows the prompt, up to `end`; see `TokenEngine`."""
        stop = await self.ids.token(end)
        ids = await self.ids.prompt(prompt, {stop})
        body = _CompletionRequest(
            model=self.adapter or self.ids.model,
            prompt=ids,
            max_tokens=self.ids.most(most, ids),
            stop_token_ids=[stop],
            skip_special_tokens=False,
            spaces_between_special_tokens=False,
        )
        choice = (await self.replicas.post("/v1/completions", body, _TextReply)).choices[0]
        ended = choice.finish_reason == "stop" and choice.stop_reason in (stop, None)
        return Completion(choice.text.removesuffix(end), ended)

    async def _score(
        self, prompt: list[int], allowed: list[int], chunk: list[int], tokens: Sequence[str]
    ) -> dict[int, float]:
        body = _CompletionRequest(
            model=self.adapter or self.ids.model,
            prompt=prompt,
            max_tokens=1,
            allowed_token_ids=allowed,
            logprobs=1,
            logprob_token_ids=chunk,
            return_tokens_as_token_ids=True,
        )
        reply = await self.replicas.post("/v1/completions", body, _ScoredReply)
        logprobs = reply.choices[0].logprobs
        if _id(logprobs.tokens[0]) not in allowed:
            raise illegal(logprobs.tokens[0], tokens)
        given = {_id(spelt): value for spelt, value in logprobs.top_logprobs[0].items()}
        if missing := [one for one in chunk if one not in given]:
            raise illegal(f"no log-probability of {missing[0]}", tokens)
        return {one: given[one] for one in chunk}


def _id(spelt: str) -> int | None:
    match = _PLACEHOLDER.fullmatch(spelt)
    return int(match[1]) if match else None
