"""What clients are told when a model's server misbehaves: a status and a code, and nothing of that server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.server.live import Live, serving
from tests.misbehaving import GOOD, SECRET, Misbehaving, misbehaving
from tests.misbehaviours import KINDS
from tests.strict import fault_of

STATUSES = {
    "unreachable": 502,
    "timeout": 504,
    "rate_limited": 429,
    "overloaded": 503,
    "unauthorized": 502,
    "not_found": 502,
    "server_error": 502,
    "broken_reply": 502,
    "cut_off": 502,
    "too_large": 502,
    "empty_reply": 502,
    "filtered": 422,
    "refused": 422,
    "context_length_exceeded": 400,
    "unsupported_parameter": 400,
}
BELOW_HTTP = [kind for kind in KINDS if KINDS[kind].behave is None]
SLOW = frozenset(kind for kind in KINDS if KINDS[kind].code == "timeout")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Misbehaving]:
    with misbehaving(tmp_path_factory.mktemp("models"), KINDS) as running:
        yield running


@pytest.fixture(scope="module")
def live(models: Misbehaving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    workers = {name: models.url(name) for name in ("asked", *BELOW_HTTP)}
    lines = [f"  {name}: {{description: Talks., model: openai:tiny@{url}}}" for name, url in workers.items()]
    graph = f"name: house\nmasters: {{chief: {{neighbours: [{', '.join(workers)}]}}}}\nworkers:\n"
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, graph + "\n".join(lines)) as running:
        yield running


@pytest.fixture(scope="module")
def replies(live: Live) -> dict[tuple[str, bool], httpx.Response]:
    """The reply to each kind, whole and streamed; then the thread's next turn, under `kind, then good`."""

    async def all_of_them() -> dict[tuple[str, bool], httpx.Response]:
        headers = {"Authorization": f"Bearer {live.keys['alice']}"}
        found: dict[tuple[str, bool], httpx.Response] = {}
        async with httpx.AsyncClient(
            base_url=live.url, headers=headers, timeout=250, trust_env=False
        ) as client:
            for some in (KINDS.keys() - SLOW, SLOW):
                for stream in (False, True):
                    asked = await asyncio.gather(*(ask(client, kind, stream) for kind in some))
                    found |= {(kind, stream): reply for kind, reply in zip(some, asked, strict=True)}
            after = await asyncio.gather(*(ask(client, kind, False, "good") for kind in KINDS))
            return found | {
                (f"{kind}, then good", False): one for kind, one in zip(KINDS, after, strict=True)
            }

    return asyncio.run(all_of_them())


async def ask(client: httpx.AsyncClient, kind: str, stream: bool, then: str = "") -> httpx.Response:
    question = f"How are you? misbehave: {then or kind}"
    body = {
        "model": f"house/{kind if kind in BELOW_HTTP and not then else 'asked'}",
        "messages": [{"role": "user", "content": question}],
        "stream": stream,
        "octopus": {"timeout": 4 if kind in SLOW and not then else 120},
    }
    return await client.post("/v1/chat/completions", json=body, headers={"X-Octopus-Thread": kind})


def events_of(reply: httpx.Response) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in reply.text.splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


@pytest.mark.parametrize("kind", KINDS)
def test_a_status_and_a_code(kind: str, replies: dict[tuple[str, bool], httpx.Response]) -> None:
    reply, code = replies[kind, False], KINDS[kind].code
    if not code:
        assert reply.json()["choices"][0]["message"]["content"] == KINDS[kind].text
        return
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (STATUSES[code], code)
    assert error["message"] and error["type"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_ends_with_an_error_or_a_finish(
    kind: str, replies: dict[tuple[str, bool], httpx.Response]
) -> None:
    reply, code = replies[kind, True], KINDS[kind].code
    if not code:
        assert events_of(reply)[-1] == "[DONE]"
    elif reply.status_code == 200:
        assert events_of(reply)[-1]["error"]["code"] == code
        assert '"finish_reason":"' not in reply.text.replace(" ", "")
    else:  # nothing was sent yet
        assert (reply.status_code, reply.json()["error"]["code"]) == (STATUSES[code], code)


def test_nothing_of_the_models_server_is_told(
    replies: dict[tuple[str, bool], httpx.Response], models: Misbehaving
) -> None:
    for asked, reply in replies.items():
        for internal in (SECRET, "127.0.0.1", "Traceback", "made a mistake"):
            assert internal not in reply.text, (asked, reply.text)
        # As a number of its own: ids and probabilities have its digits now and then.
        assert not re.search(rf"(?<![\w.]){models.port}(?!\w)", reply.text), (asked, reply.text)


def test_who_is_to_wait_is_told_how_long(replies: dict[tuple[str, bool], httpx.Response]) -> None:
    for kind in ("429-for-an-hour", "503-for-an-hour"):
        assert replies[kind, False].headers["retry-after"] == "3600"
    assert replies["400-parameter", False].json()["error"]["param"] == "top_p"


@pytest.mark.parametrize("kind", KINDS)
def test_the_thread_goes_on(
    kind: str, replies: dict[tuple[str, bool], httpx.Response], models: Misbehaving
) -> None:
    told = replies[f"{kind}, then good", False].json()
    assert told["choices"][0]["message"]["content"] == GOOD
    assert [fault_of(call.body) for call in models.calls["good"] if fault_of(call.body)] == []


def test_a_response_fails_too(live: Live, models: Misbehaving, tmp_path: Path) -> None:
    for kind in ("html", "clean-cut", "401", "content-empty", "refusal"):
        with live.openai() as client:
            events: Any = list(
                client.responses.create(model="house/asked", input=f"Hi. misbehave: {kind}", stream=True)
            )
        assert events[-1].type == "response.failed"
        assert SECRET not in events[-1].to_json()
