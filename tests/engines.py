"""Inference servers on loopback: each speaks one engine's wire format, with a real small model behind it."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from tests import field_tables as fields
from tests.loopback import Replying, listening


class RefusedError(Exception):
    """A status and what is said with it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class TinyEngine:
    """A base and its adapters, each a model of its own here, as they speak on a server.

    Attributes:
        models: by name; "" is the base, under `name` too.
        obeys: whether it keeps to constraints; one that does not takes the most probable token.
        gives_logprobs: whether chat replies have log-probabilities.
        limit: how many tokens prompt and reply may have together; chat replies are not measured.
    """

    tokenizer: Any
    models: dict[str, Any]
    name: str = "base"
    obeys: bool = True
    gives_logprobs: bool = True
    limit: int = 512
    lock: threading.Lock = field(default_factory=threading.Lock)

    def model(self, name: str | None, unknown: int = 404) -> Any:
        if name in (None, "", self.name):
            return self.models[""]
        if name not in self.models:
            raise RefusedError(unknown, f"The model `{name}` does not exist.")
        return self.models[name]

    def fits(self, prompt: Sequence[int], most: int, status: int = 400) -> None:
        if len(prompt) + most > self.limit:
            raise RefusedError(status, f"{len(prompt)} + {most} tokens are more than {self.limit}.")

    def logprobs(self, model: Any, ids: Sequence[int]) -> list[float]:
        """Of every token as the next one."""
        import torch

        with self.lock, torch.inference_mode():
            logits = model(torch.tensor([list(ids)])).logits[0, -1].double()
            return [float(value) for value in torch.log_softmax(logits, -1)]

    def next_token(self, logprobs: Sequence[float], allowed: Collection[int] | None) -> int:
        some = range(len(logprobs)) if allowed is None or not self.obeys else allowed
        return max(some, key=logprobs.__getitem__)

    def generate(self, model: Any, ids: Sequence[int], most: int, stops: Collection[int]) -> list[int]:
        """Greedy tokens, the stop among them."""
        written: list[int] = []
        while len(written) < most and not (written and written[-1] in stops):
            written.append(self.next_token(self.logprobs(model, [*ids, *written]), None))
        return written

    def ids(self, text: str) -> list[int]:
        return [int(token) for token in self.tokenizer(text)["input_ids"]]

    def spell(self, ids: Sequence[int], special: bool = True) -> str:
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=not special))

    def top(self, logprobs: Sequence[float], most: int) -> list[int]:
        return sorted(range(len(logprobs)), key=lambda token: -logprobs[token])[:most]


def vllm(engine: TinyEngine, path: str, body: Any) -> Any:
    if path == "/tokenize":
        return _tokenize(engine, fields.Tokenize.model_validate(body))
    asked = fields.VllmCompletion.model_validate(body)
    assert path == "/v1/completions" and isinstance(asked.prompt, list)
    model = engine.model(asked.model)
    engine.fits(asked.prompt, asked.max_tokens or 16)
    if asked.logprobs is None:
        written = engine.generate(model, asked.prompt, asked.max_tokens or 16, asked.stop_token_ids or ())
        stop = written[-1] if written[-1] in (asked.stop_token_ids or ()) else None
        text = engine.spell(written[:-1] if stop else written, special=not asked.skip_special_tokens)
        return {"choices": [_choice(text, "stop" if stop else "length", stop)]}
    logprobs = engine.logprobs(model, asked.prompt)
    token = engine.next_token(logprobs, asked.allowed_token_ids)
    listed = dict.fromkeys([token, *(asked.logprob_token_ids or engine.top(logprobs, asked.logprobs))])
    given = {
        "tokens": [f"token_id:{token}"],
        "token_logprobs": [logprobs[token]],
        "top_logprobs": [{f"token_id:{one}": logprobs[one] for one in listed}],
        "text_offset": [0],
    }
    return {"id": "c", "choices": [_choice(engine.spell([token]), "length", None) | {"logprobs": given}]}


def sglang(engine: TinyEngine, path: str, body: Any) -> Any:
    if path == "/tokenize":
        return _tokenize(engine, fields.Tokenize.model_validate(body))
    asked = fields.SglangGenerate.model_validate(body)
    assert path == "/generate" and asked.input_ids is not None
    model, params = engine.model(asked.lora_path, 400), asked.sampling_params
    engine.fits(asked.input_ids, params.max_new_tokens)
    if asked.return_logprob:
        bias = {int(token): value for token, value in (params.logit_bias or {}).items()}
        raw = engine.logprobs(model, asked.input_ids)
        biased = [value + bias.get(token, 0.0) for token, value in enumerate(raw)] if engine.obeys else raw
        most = max(biased)
        total = most + math.log(sum(math.exp(value - most) for value in biased))
        token = engine.next_token(biased, None)
        meta: dict[str, Any] = {
            "output_token_logprobs": [[biased[token] - total, token, None]],
            "output_token_ids_logprobs": [
                [[biased[one] - total, one, None] for one in asked.token_ids_logprob or ()]
            ],
            "finish_reason": {"type": "length", "length": 1},
        }
        return {"text": engine.spell([token]), "output_ids": [token], "meta_info": meta}
    written = engine.generate(model, asked.input_ids, params.max_new_tokens, params.stop_token_ids or ())
    stop = written[-1] if written[-1] in (params.stop_token_ids or ()) else None
    reason = {"type": "stop", "matched": stop} if stop else {"type": "length", "length": len(written)}
    text = engine.spell(written[:-1] if stop else written, special=not params.skip_special_tokens)
    return {"text": text, "output_ids": written, "meta_info": {"finish_reason": reason}}


def lorax(engine: TinyEngine, path: str, body: Any) -> Any:
    asked = fields.LoraxGenerate.model_validate(body)
    assert path == "/generate"
    params = asked.parameters
    model, ids = engine.model(params.adapter_id, 424), engine.ids(asked.inputs)
    engine.fits(ids, params.max_new_tokens or 20, 422)
    stops = {engine.ids(stop)[0] for stop in params.stop}
    written = engine.generate(model, ids, params.max_new_tokens or 20, stops)
    tokens = []
    for place, token in enumerate(written):
        logprobs = engine.logprobs(model, [*ids, *written[:place]])
        one: dict[str, Any] = {"id": token, "text": engine.spell([token]), "logprob": logprobs[token]}
        one["special"] = token in engine.tokenizer.all_special_ids
        if params.return_k_alternatives:
            one["alternative_tokens"] = [
                {"id": k, "text": engine.spell([k]), "logprob": logprobs[k]}
                for k in engine.top(logprobs, params.return_k_alternatives)
            ]
        tokens.append(one)
    details = {
        "finish_reason": "stop_sequence" if written[-1] in stops else "length",
        "prompt_tokens": len(ids),
        "generated_tokens": len(written),
        "seed": None,
        "prefill": [],
        "tokens": tokens,
    }
    return {"generated_text": engine.spell(written, special=False)} | (
        {"details": details} if params.details else {}
    )


def openai(engine: TinyEngine, path: str, body: Any) -> Any:
    asked = fields.OpenAIChat.model_validate(body)
    assert path == "/v1/chat/completions"
    ids = _templated(engine, asked.messages)
    if asked.response_format is None:
        written = engine.generate(
            engine.models[""], ids, asked.max_tokens or 16, {engine.tokenizer.eos_token_id}
        )
        return {"choices": [{"message": {"role": "assistant", "content": engine.spell(written, False)}}]}
    schema = asked.response_format["json_schema"]["schema"]
    if schema["type"] != "object":
        raise RefusedError(400, "schema must be a JSON Schema of 'type: \"object\"'")
    labels = schema["properties"]["letter"]["enum"]
    around = ('{"letter":"', '"}')
    content, positions = _framed_letter(engine, ids, around, labels, asked.top_logprobs or 0)
    logprobs = {"content": positions} if asked.logprobs and engine.gives_logprobs else None
    return {"choices": [{"message": {"role": "assistant", "content": content}, "logprobs": logprobs}]}


def ollama(engine: TinyEngine, path: str, body: Any) -> Any:
    asked = fields.OllamaChat.model_validate(body)
    assert path == "/api/chat" and not asked.stream
    if asked.model != engine.name:
        raise RefusedError(404, f"model '{asked.model}' not found")
    ids = _templated(engine, asked.messages)
    if asked.format is None:
        stops = {engine.tokenizer.eos_token_id}
        written = engine.generate(engine.models[""], ids, asked.options.num_predict, stops)
        return {"message": {"role": "assistant", "content": engine.spell(written, False)}, "done": True}
    content, positions = _framed_letter(engine, ids, ('"', '"'), asked.format["enum"], asked.top_logprobs)
    reply: dict[str, Any] = {"message": {"role": "assistant", "content": content}, "done": True}
    return reply | ({"logprobs": positions} if asked.logprobs and engine.gives_logprobs else {})


def llama_cpp(engine: TinyEngine, path: str, body: Any) -> Any:
    if path == "/apply-template":
        turns = [message.model_dump() for message in fields.LlamaTemplate.model_validate(body).messages]
        return {
            "prompt": engine.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        }
    asked = fields.LlamaCompletion.model_validate(body)
    assert path == "/completion"
    ids = engine.ids(asked.prompt)
    if asked.grammar is None:
        written = engine.generate(engine.models[""], ids, asked.n_predict, {engine.tokenizer.eos_token_id})
        return {"content": engine.spell(written, False), "stop": True}
    labels = re.findall(r'"([^"]+)"', asked.grammar)
    logprobs = engine.logprobs(engine.models[""], ids)
    token = engine.next_token(logprobs, [engine.ids(label)[0] for label in labels])
    position = _position(engine, logprobs, token, asked.n_probs)
    return {"content": engine.spell([token]), "completion_probabilities": [position]}


SPOKEN = {
    "vllm": vllm,
    "sglang": sglang,
    "lorax": lorax,
    "openai": openai,
    "ollama": ollama,
    "llama.cpp": llama_cpp,
}


@dataclass
class EngineServer:
    """One server.

    Attributes:
        speaks: the wire format.
        statuses: of the next requests, in order; 200 when used up.
        delay: seconds before each answer.
        garbles: what to send instead of a reply.
        requests: (path, body) of each.
    """

    engine: TinyEngine
    speaks: Callable[[TinyEngine, str, Any], Any]
    statuses: list[int] = field(default_factory=list)
    delay: float = 0.0
    garbles: str | None = None
    requests: list[tuple[str, Any]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, body: Any) -> tuple[int, str]:
        self.requests.append((path, body))
        time.sleep(self.delay)
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return status, json.dumps({"error": f"scripted {status}"})
        if self.garbles is not None:
            return 200, self.garbles
        try:
            return 200, json.dumps(self.speaks(self.engine, path, body))
        except ValidationError as error:
            return 422, json.dumps({"error": str(error)})
        except RefusedError as error:
            return error.status, json.dumps({"error": str(error)})


@contextmanager
def serving_engine(server: EngineServer) -> Iterator[EngineServer]:
    """Run it on a free port."""

    class Handler(Replying):
        def do_POST(self) -> None:  # noqa: N802 - the library calls it so
            status, text = server.answer(self.path, self.body())
            self.reply(status, "application/json", text)

    with listening(Handler) as server.port:
        yield server


def _tokenize(engine: TinyEngine, asked: fields.Tokenize) -> Any:
    if asked.model not in (None, engine.name):
        raise RefusedError(404, f"The model `{asked.model}` does not exist.")
    tokens = engine.ids(asked.prompt)
    return {"tokens": tokens, "count": len(tokens), "max_model_len": engine.limit}


def _choice(text: str, reason: str, stop: int | None) -> dict[str, Any]:
    return {"index": 0, "text": text, "finish_reason": reason, "stop_reason": stop, "logprobs": None}


def _templated(engine: TinyEngine, messages: Sequence[fields.Message]) -> list[int]:
    turns = [message.model_dump() for message in messages]
    text = engine.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return engine.ids(text)


def _framed_letter(
    engine: TinyEngine, ids: Sequence[int], around: tuple[str, str], labels: Sequence[str], top: int
) -> tuple[str, list[Any]]:
    """`"A"` token by token under a schema: what stands around the letter is forced."""
    before, after = ([[token] for token in engine.ids(text)] for text in around)
    written: list[int] = []
    positions = []
    for allowed in (*before, [engine.ids(label)[0] for label in labels], *after):
        logprobs = engine.logprobs(engine.models[""], [*ids, *written])
        written.append(engine.next_token(logprobs, allowed))
        positions.append(_position(engine, logprobs, written[-1], top))
    return engine.spell(written), positions


def _position(engine: TinyEngine, logprobs: Sequence[float], token: int, top: int) -> dict[str, Any]:
    def one(k: int) -> dict[str, Any]:
        return {"token": engine.spell([k]), "logprob": logprobs[k], "bytes": None}

    return one(token) | {"top_logprobs": [one(k) for k in engine.top(logprobs, top)]}
