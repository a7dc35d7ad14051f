"""Ask SGLang: `/generate` with `token_ids_logprob`; an adapter is a `lora_path`.

The constraint is a bias that is the same for all candidates, so that it does not change their order; a
regular expression could not name special tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from agents.octopus.served.http import Replicas, ReplyBody, RequestBody
from agents.octopus.served.scorers import Completion, RouterPrompt, illegal
from agents.octopus.served.token_ids import TokenIds

_BIAS = 1000.0


class _SamplingParams(RequestBody):
    max_new_tokens: int
    temperature: float = 0.0
    logit_bias: dict[str, float] | None = None
    stop_token_ids: list[int] | None = None
    skip_special_tokens: bool | None = None
    spaces_between_special_tokens: bool | None = None


class _GenerateRequest(RequestBody):
    input_ids: list[int]
    sampling_params: _SamplingParams
    lora_path: str | None = None
    return_logprob: bool | None = None
    token_ids_logprob: list[int] | None = None


class _ScoredMeta(ReplyBody):
    """Read triples (log-probability, id, text) of what was generated, and of the ids asked for."""

    output_token_logprobs: list[tuple[float, int, Any]] = Field(min_length=1)
    output_token_ids_logprobs: list[list[tuple[float, int, Any]]] = Field(min_length=1)


class _ScoredReply(ReplyBody):
    meta_info: _ScoredMeta


class _FinishReason(ReplyBody):
    """Read why it ended; `matched` is the stop token."""

    type: str
    matched: int | str | None = None


class _TextMeta(ReplyBody):
    finish_reason: _FinishReason


class _TextReply(ReplyBody):
    text: str
    meta_info: _TextMeta


@dataclass
class SglangEngine:
    """Score and complete on SGLang.

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
        body = _GenerateRequest(
            input_ids=await self.ids.prompt(prompt, candidates.keys()),
            sampling_params=_SamplingParams(
                max_new_tokens=1, logit_bias={str(one): _BIAS for one in allowed}
            ),
            lora_path=self.adapter or None,
            return_logprob=True,
            token_ids_logprob=list(candidates),
        )
        meta = (await self.replicas.post("/generate", body, _ScoredReply)).meta_info
        chosen = meta.output_token_logprobs[0][1]
        if chosen not in allowed:
            raise illegal(chosen, only or tokens)
        given = {one: value for value, one, _ in meta.output_token_ids_logprobs[0]}
        if missing := [one for one in candidates if one not in given]:
            raise illegal(f"no log-probability of {missing[0]}", tokens)
        return {token: given[one] for one, token in candidates.items()}

    async def complete(self, prompt: RouterPrompt, end: str, most: int) -> Completion:
        """Write what follows the prompt, up to `end`; see `TokenEngine`."""
        stop = await self.ids.token(end)
        ids = await self.ids.prompt(prompt, {stop})
        body = _GenerateRequest(
            input_ids=ids,
            sampling_params=_SamplingParams(
                max_new_tokens=self.ids.most(most, ids),
                stop_token_ids=[stop],
                skip_special_tokens=False,
                spaces_between_special_tokens=False,
            ),
            lora_path=self.adapter or None,
        )
        reply = await self.replicas.post("/generate", body, _TextReply)
        reason = reply.meta_info.finish_reason
        return Completion(reply.text.removesuffix(end), reason.type == "stop" and reason.matched == stop)
