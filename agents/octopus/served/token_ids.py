"""Look up functional tokens and prompts as ids by the server's own tokenizer, for vLLM and SGLang."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from agents.errors import InputError, ModelUnavailableError
from agents.octopus.served.http import Replicas, ReplyBody, RequestBody
from agents.octopus.served.scorers import RouterPrompt
from agents.octopus.tokens import break_up

# How control tokens are spelt that no list has. Each is looked up; where a text has many, all are spaced out.
_BRACKETS = (re.compile(r"<[^\s<>]{1,40}>"), re.compile(r"\[/?[gA-Z][A-Z0-9_]{1,40}\]"))
_MOST_SPELT = 16


class _TokenizeRequest(RequestBody):
    """Define the body of `/tokenize`, the same for both."""

    model: str
    prompt: str
    add_special_tokens: bool = False


class _TokenizeReply(ReplyBody):
    tokens: list[int]
    max_model_len: int | None = None


@dataclass
class TokenIds:
    """Look up the ids of a served model, each once.

    Attributes:
        replicas: of the server.
        model: name of the base there.
    """

    replicas: Replicas
    model: str
    _known: dict[str, tuple[int, ...]] = field(default_factory=dict, init=False)
    _limit: int | None = field(default=None, init=False)

    async def token(self, token: str) -> int:
        """Return the id of a functional token.

        Raises:
            ModelUnavailableError: it is not one token of this model.
        """
        ids = await self._fixed(token)
        if len(ids) != 1:
            raise ModelUnavailableError(
                f"the model {self.model!r} does not know {token!r} as one token ({len(ids)} ids).",
                hint="Serve a base with functional tokens in its vocabulary, or another engine of the spec.",
            )
        return ids[0]

    async def tokens(self, tokens: Sequence[str]) -> dict[int, str]:
        """Return functional tokens by their ids, in order."""
        return {await self.token(token): token for token in tokens}

    async def prompt(self, prompt: RouterPrompt, functional: Collection[int]) -> list[int]:
        """Return the ids of a prompt; of a query that is too long for the server its beginning and end.

        Raises:
            InputError: what the user said holds a functional token.
        """
        query = await self._ask(await self._broken_up(prompt.query))
        if not set(query).isdisjoint(functional):
            raise InputError("the query spells a functional token of the Octopus.", hint="Leave it out.")
        before, after = await self._fixed(prompt.before), await self._fixed(prompt.after)
        said = (await self.token(prompt.token),) if prompt.token else ()
        room = self.most(len(query) + 1, [*before, *after, *said]) - 1  # one token is written at least
        if len(query) > room:
            query = query[: room // 2] + query[len(query) - room // 2 :]
        return [*before, *query, *after, *said]

    def most(self, wanted: int, prompt: Sequence[int]) -> int:
        """Return how many of `wanted` tokens there is room for after `prompt`, at least one."""
        return wanted if self._limit is None else max(1, min(wanted, self._limit - len(prompt)))

    async def _broken_up(self, text: str) -> str:
        """Space out brackets that are one token here, a control token maybe."""
        spelt = {one for brackets in _BRACKETS for one in brackets.findall(text)}
        if len(spelt) <= _MOST_SPELT:
            ids = await asyncio.gather(*map(self._ask, spelt))
            spelt = {one for one, found in zip(spelt, ids, strict=True) if len(found) == 1}
        return break_up(text, spelt)

    async def _fixed(self, text: str) -> tuple[int, ...]:
        if text not in self._known:
            self._known[text] = await self._ask(text) if text else ()
        return self._known[text]

    async def _ask(self, text: str) -> tuple[int, ...]:
        body = _TokenizeRequest(model=self.model, prompt=text)
        reply = await self.replicas.post("/tokenize", body, _TokenizeReply)
        if reply.max_model_len and reply.max_model_len > 0:  # SGLang says -1 where it does not know
            self._limit = reply.max_model_len
        return tuple(reply.tokens)
