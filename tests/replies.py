"""What a scripted model server says, whole or in the chunks in which OpenAI and vLLM stream it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

_PIECE = 5  # characters of a call's arguments in a chunk


@dataclass(frozen=True)
class Reply:
    """A scripted reply; what the request limits (max_tokens, stop, n, logprobs) is kept to.

    Attributes:
        words: the text, streamed word by word; a string is cut at spaces.
        calls: of tools: a name with its arguments, or with the text of broken ones.
        reasoning: the thinking, in a field of its own.
        finish: the reason; "" is that of the rest.
        others: the texts of further choices; those that are missing repeat the first.
        refusal: what the model says instead.
    """

    words: str | Sequence[str] = ()
    calls: Sequence[tuple[str, Mapping[str, Any] | str]] = ()
    reasoning: str = ""
    finish: str = ""
    others: Sequence[str] = ()
    refusal: str = ""

    @property
    def tokens(self) -> list[str]:
        """The pieces of the text."""
        return re.findall(r"\s*\S+|\s+$", self.words) if isinstance(self.words, str) else list(self.words)

    def within(self, body: Mapping[str, Any]) -> Reply:
        """This reply as the limits of a request leave it."""
        most = body.get("max_completion_tokens") or body.get("max_tokens")
        stops = body.get("stop") or ()
        text = "".join(self.tokens)
        places = [text.find(one) for one in ([stops] if isinstance(stops, str) else stops) if one in text]
        tokens = _until(self.tokens, min(places)) if places else self.tokens
        if most is not None and len(tokens) > most:
            return replace(self, words=tokens[:most], finish=self.finish or "length")
        usual = "tool_calls" if self.calls else "stop"
        return replace(self, words=tokens, finish=self.finish or usual)


def whole(reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
    """The reply as one object."""
    said, choices = _choices(reply, body), []
    for index, one in enumerate(said):
        text = "".join(one.tokens)
        message: dict[str, Any] = {"role": "assistant", "content": text if one.words else None}
        if one.calls:
            message["tool_calls"] = [_call(place, *call) for place, call in enumerate(one.calls)]
        if one.reasoning:
            message["reasoning_content"] = one.reasoning
        if one.refusal:
            message["refusal"] = one.refusal
        choices.append({"index": index, "message": message, "finish_reason": one.finish})
        if body.get("logprobs"):
            choices[-1]["logprobs"] = _logprobs(one.tokens, body)
    return _head("chat.completion", body) | {"choices": choices, "usage": _usage(said)}


def chunks(reply: Reply, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The reply in pieces, without what ends a stream."""
    head, said = _head("chat.completion.chunk", body), _choices(reply, body)
    for index, one in enumerate(said):
        for delta, logprobs in _deltas(one, body):
            choice = {"index": index, "delta": delta, "finish_reason": None, "logprobs": logprobs}
            yield head | {"choices": [choice]}
        yield head | {"choices": [{"index": index, "delta": {}, "finish_reason": one.finish}]}
    if (body.get("stream_options") or {}).get("include_usage"):
        yield head | {"choices": [], "usage": _usage(said)}


def _deltas(one: Reply, body: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    yield {"role": "assistant", "content": ""}, None
    for thought in re.findall(r"\s*\S+|\s+$", one.reasoning):
        yield {"reasoning_content": thought}, None
    for word in one.tokens:
        yield {"content": word}, _logprobs([word], body) if body.get("logprobs") else None
    if one.refusal:
        yield {"refusal": one.refusal}, None
    for place, called in enumerate(one.calls):
        call = _call(place, *called)
        text, call["function"]["arguments"] = call["function"]["arguments"], ""
        yield {"tool_calls": [{"index": place, **call}]}, None
        for start in range(0, len(text), _PIECE):
            piece = {"index": place, "function": {"arguments": text[start : start + _PIECE]}}
            yield {"tool_calls": [piece]}, None


def _choices(reply: Reply, body: Mapping[str, Any]) -> list[Reply]:
    others = [replace(reply, words=text) for text in reply.others]
    most = int(body.get("n") or 1)
    return [one.within(body) for one in [reply, *others, *[reply] * most][:most]]


def _until(tokens: Sequence[str], end: int) -> list[str]:
    kept: list[str] = []
    for token in tokens:
        if end <= 0:
            break
        kept.append(token[:end])
        end -= len(token)
    return kept


def _call(place: int, name: str, arguments: Mapping[str, Any] | str) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": f"call_{place}{name}", "type": "function", "function": {"name": name, "arguments": text}}


def _logprobs(tokens: Sequence[str], body: Mapping[str, Any]) -> dict[str, Any]:
    def one(token: str, rank: int) -> dict[str, Any]:
        return {"token": token, "logprob": -0.25 - rank, "bytes": list(token.encode())}

    most = int(body.get("top_logprobs") or 0)
    content = [
        one(token, 0) | {"top_logprobs": [one(token + "'" * rank, rank) for rank in range(most)]}
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def _usage(choices: Sequence[Reply]) -> dict[str, Any]:
    said = sum(len(one.tokens) for one in choices)
    return {"prompt_tokens": 7, "completion_tokens": said, "total_tokens": 7 + said}


def _head(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "c", "object": kind, "created": 0, "model": body.get("model", "tiny")}
