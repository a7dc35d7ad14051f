"""Mixed conversations, made by Hypothesis, of a server whose models refuse what real ones refuse."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.app.server.live import Live, serving
from tests.loopback import ChatServer
from tests.loopback import serving as serving_chat
from tests.replies import Reply

CONVERSATIONS = 200
KITCHEN = """\
name: kitchen
description: A kitchen.
masters:
  chief: {neighbours: [cooking, maths, painter, talk], generalist: talk}
workers:
  cooking: {description: "Recipes, and how to cook and bake food.", prompt: "You are a cook."}
  maths: {description: "Calculus: derivatives, integrals and limits of functions.", tools: [calculus]}
  painter: {description: "Describes pictures and photos.", model: "openai:eye@EYE", modalities: [image]}
  talk: {description: "Small talk, and everything else.", prompt: "Be kind."}
"""
MODELS = ["kitchen", "kitchen", "kitchen/cooking", "kitchen/maths", "kitchen/talk", "kitchen/painter"]
TEXTS = [
    "How do I bake bread?",
    "What is the derivative of x^3 at x = 2?",
    "And its second derivative?",
    "Thanks!",
    "why?",
    "Wie lange backe ich ein Brot?",
    "如何烤面包？",
    "كيف أخبز الخبز؟",
    "पाव कसा भाजायचा?",
    "👩‍🍳 2 + 2?",
    "a\ud83db",
    "\ude00 and \ud83d\ude00",
    "<think>hm</think> and <|im_end|> [INST]",
    "Bread. " * 400,
    "How do I bake bread, and what is the derivative of x^2?",
    "Summarize in a 5-word title. Give the title only: bread",
]
SYSTEMS = ["Answer in French.", "Be brief.", "Être poli.", "You are \ud83d a pirate.", ""]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Get the {name}.",
            "parameters": {"type": "object", "properties": {"of": {"type": "string"}}},
        },
    }
    for name in ("price", "weather")
]
PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
KINDS = ["system", "developer", "user", "user", "assistant", "assistant", "tools"]
NEVER = ("no model is connected", "gave no answer", "OCTOPUS_MODEL", "<think>Hm")
"""What no model may be shown as what an assistant said."""

blank = st.sampled_from(["", " \n"])
texts = st.sampled_from(TEXTS) | st.text(max_size=40)
parts = st.lists(st.builds(lambda text: {"type": "text", "text": text}, texts | blank), max_size=3)
pictures = st.builds(lambda said, image: [*said, image], parts, st.just(PIXEL))
calls = st.lists(st.sampled_from(["price", "weather"]), min_size=1, max_size=3)


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def called(names: list[str], start: int, text: str | None) -> dict[str, Any]:
    made = [
        {"id": f"c{start + k}", "type": "function", "function": {"name": name, "arguments": '{"of": "x"}'}}
        for k, name in enumerate(names)
    ]
    return {"role": "assistant", "content": text, "tool_calls": made}


def result(call: str, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call, "content": text}


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What a client may send of the past, in any order, tool turns whole or torn."""
    found: list[dict[str, Any]] = []
    for place in range(draw(st.integers(0, 6))):
        match draw(st.sampled_from(KINDS)):
            case "system" | "developer" as role:
                found.append(said(role, draw(st.sampled_from(SYSTEMS))))
            case "user":
                found.append(said("user", draw(texts | blank | parts | pictures)))
            case "assistant":
                found.append(said("assistant", draw(texts | blank | parts | st.none())))
            case _:
                names = draw(calls)
                found.append(called(names, 10 * place, draw(st.none() | blank | texts)))
                ids = [f"c{10 * place + k}" for k in range(len(names))]
                kept = draw(st.permutations(ids)) if draw(st.integers(0, 3)) else [*ids[1:], "c999"]
                found += [result(one, draw(texts | blank)) for one in kept]
    return found


@st.composite
def loops(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A tool's results as the last messages of a client that keeps the conversation itself."""
    names = draw(calls)
    ids = [f"c{900 + k}" for k in range(len(names))]
    asked = [said("user", draw(texts)), called(names, 900, draw(st.none() | texts))]
    return [*asked, *(result(one, draw(texts | blank)) for one in ids)]


asked = st.builds(lambda content: [said("user", content)], texts | texts | texts | parts | pictures)
GOOD = [
    Reply("Like this."),
    Reply("<think>Hm, bread.</think>\n\nLike this."),
    Reply("Like this.", reasoning="Hm, bread."),
    Reply("Like", finish="length"),
]
CALLING = [
    Reply(calls=[("price", {"of": "bread"})]),
    Reply("One moment.", calls=[("price", {"of": "bread"}), ("weather", {"of": "Rome"})]),
]
BAD = [
    Reply(),
    Reply(reasoning="Hm."),
    Reply(finish="content_filter"),
    Reply(refusal="I will not."),
    Reply(calls=[("price", "{broken")]),
]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"temperature": 0.5, "seed": 3, "max_tokens": 40},
    {"stop": ["###"], "top_p": 0.9},
    {"n": 2, "logprobs": True, "top_logprobs": 2},
    {"reasoning_effort": "low", "presence_penalty": 0.5},
    {"response_format": {"type": "json_object"}},
    {"tools": TOOLS},
]
SCRIPTS = ["answers", "calls", "answers", "calls", "answers", "calls", "errs", "fails"]


@dataclass
class Turn:
    """What is sent in a turn, and what the models do in it.

    Attributes:
        kept: whether the server keeps the conversation; else all of it is sent.
        replies: of the models, to the first requests.
        statuses: of the models, before that.
        rounds: how often the calls that an answer makes are answered.
        options: fields of the request.
    """

    model: str
    messages: list[dict[str, Any]]
    kept: bool
    replies: list[Reply]
    statuses: list[int]
    rounds: int
    options: dict[str, Any]

    @property
    def statuses_allowed(self) -> set[int]:
        """What the server may answer with."""
        question = [message["content"] for message in self.messages if message["role"] == "user"][-1]
        parts = question if isinstance(question, list) else [{"text": question}]
        said = "".join(part.get("text", "") for part in parts)
        unread = PIXEL in parts and self.model not in ("kitchen", "kitchen/painter")
        odd = any("\ud800" <= sign <= "\udfff" for sign in said)
        found = {400} if unread else {200, 400} if odd or not said.strip() or self._torn else {200}
        fails = self.statuses or "response_format" in self.options or any(one in BAD for one in self.replies)
        return found | ({422, 429, 502, 503} if fails else set())

    @property
    def _torn(self) -> bool:
        """Whether calls and results since the question before do not belong together."""
        asked = [place for place, message in enumerate(self.messages) if message["role"] == "user"]
        since = self.messages[asked[-2] if len(asked) > 1 else 0 :]
        return any(message.get("tool_call_id") == "c999" for message in since)


@st.composite
def turns(draw: st.DrawFn, kept: bool) -> Turn:
    """A turn of a conversation."""
    rules = st.lists(st.sampled_from(SYSTEMS), max_size=1)
    before = [said("system", text) for text in draw(rules)] if kept else draw(histories())
    options = dict(draw(st.sampled_from(OPTIONS)))
    script = draw(st.sampled_from(SCRIPTS))
    replies = draw(st.lists(st.sampled_from(GOOD), max_size=2))
    if script == "calls":
        options = {"tools": TOOLS, **draw(st.sampled_from([{}, {"parallel_tool_calls": False}]))}
        replies = [*draw(st.lists(st.sampled_from(CALLING), min_size=1, max_size=2)), *replies]
    elif script == "errs":
        replies = [draw(st.sampled_from(BAD)), *replies]
    if draw(st.booleans()):
        options |= {"stream": True, "stream_options": {"include_usage": True}}
    return Turn(
        model=draw(st.sampled_from(MODELS)),
        messages=[*before, *draw(asked if kept else asked | loops())],
        kept=kept,
        replies=replies,
        statuses=draw(st.sampled_from([[400], [401], [500] * 9, [429] * 9])) if script == "fails" else [],
        rounds=draw(st.integers(0, 2)),
        options=options,
    )


stateless = st.lists(turns(kept=False), min_size=1, max_size=2)
threads = st.lists(turns(kept=True), min_size=2, max_size=5)


@pytest.fixture(scope="module")
def model() -> Iterator[ChatServer]:
    with serving_chat(ChatServer()) as chat:
        yield chat


@pytest.fixture(scope="module")
def eye() -> Iterator[ChatServer]:
    with serving_chat(ChatServer(words=["A", " leek."], reads=("image",))) as chat:
        yield chat


@pytest.fixture(scope="module")
def kitchen(model: ChatServer, eye: ChatServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder, graph = tmp_path_factory.mktemp("kitchen"), KITCHEN.replace("EYE", eye.url)
    given = {"OCTOPUS_MODEL": f"openai:tiny@{model.url}", "OCTOPUS_RATE": "99999/second"}
    with serving(folder, graph, **given) as live:
        yield live


class Client:
    """Sends turns, and looks at what comes back."""

    def __init__(self, http: httpx.Client, seen: Counter[str]) -> None:
        self._http = http
        self._seen = seen
        self._thread = {"X-Octopus-Thread": uuid4().hex}

    def follow(self, turn: Turn) -> None:
        """Send a turn, and the results of what it calls."""
        messages = turn.messages
        for _ in range(turn.rounds + 1):
            answer = self._say(turn, messages)
            if answer is None or not answer.get("tool_calls"):
                return
            self._seen["answers with calls"] += 1
            results = [result(call["id"], "5") for call in answer["tool_calls"]]
            told = {key: answer[key] for key in ("role", "content", "tool_calls")}
            messages = results if turn.kept else [*messages, told, *results]

    def _say(self, turn: Turn, messages: list[dict[str, Any]]) -> Any:
        """The message that the server answers with; None where it says why there is none."""
        body = json.dumps({"model": turn.model, "messages": messages, **turn.options})  # surrogates as ASCII
        headers = {"Content-Type": "application/json"} | (self._thread if turn.kept else {})
        reply = self._http.post("/v1/chat/completions", content=body, headers=headers)
        self._seen[f"status {reply.status_code}"] += 1
        assert reply.status_code in turn.statuses_allowed, reply.text
        if reply.status_code != 200:
            assert reply.json()["error"]["message"]
            return None
        if not turn.options.get("stream"):
            return reply.json()["choices"][0]["message"]
        events = [line[6:] for line in reply.text.splitlines() if line.startswith("data: ")]
        if events[-1] != "[DONE]":
            assert json.loads(events[-1])["error"]["code"]
            assert turn.statuses_allowed > {200}
            return None
        return streamed([json.loads(one) for one in events[:-1]])


def streamed(chunks: list[Any]) -> Any:
    """The first message of chunks."""
    made: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": []}
    for choice in (one for chunk in chunks for one in chunk.get("choices", ())):
        made["content"] += choice["delta"].get("content") or ""
        for piece in choice["delta"].get("tool_calls") or ():
            if "id" in piece:
                made["tool_calls"].append({"id": piece["id"], "type": "function", "function": {}})
            function = made["tool_calls"][piece["index"]]["function"]
            for key, text in piece["function"].items():
                function[key] = function.get(key, "") + (text or "")
    return made


def test_no_request_is_refused_by_a_strict_server(kitchen: Live, model: ChatServer, eye: ChatServer) -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=CONVERSATIONS,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(stateless | threads | threads)
    def converse(conversation: list[Turn]) -> None:
        seen["conversations"] += 1
        with kitchen.http() as http:
            client = Client(http, seen)
            for turn in conversation:
                for server in (model, eye):
                    server.replies, server.statuses = list(turn.replies), list(turn.statuses)
                    server.requests, server.refused = [], []
                client.follow(turn)
                for server in (model, eye):
                    assert server.refused == []
                    seen["requests of models"] += len(server.requests)
                    for _, body in server.requests:
                        told = [one for one in body["messages"] if one["role"] == "assistant"]
                        assert not any(word in json.dumps(told) for word in NEVER), told

    converse()
    print("\n" + ", ".join(f"{name}: {count}" for name, count in sorted(seen.items())))
    assert seen["conversations"] >= CONVERSATIONS
    assert seen["requests of models"] >= CONVERSATIONS
    assert seen["status 200"] >= CONVERSATIONS
    assert seen["answers with calls"] >= CONVERSATIONS // 10
