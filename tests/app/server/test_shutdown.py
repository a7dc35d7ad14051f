"""`octopus serve` and signals: runs may end, what does not is stopped with an error, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.server.live import BREAD, HOUSE, Live
from tests.app.server.test_stop import SECOND, SURFACES, asking, named
from tests.loopback import free_port
from tests.slow_model import PACE, SlowModel
from tests.slow_model import serving as serving_model

GRACE = 1.0


@pytest.fixture
def model() -> Iterator[SlowModel]:
    with serving_model(SlowModel()) as model:
        yield model


@contextmanager
def process(
    folder: Path, model: SlowModel, port: int = 0, **environment: str
) -> Iterator[tuple[Live, subprocess.Popen[str]]]:
    """The command, as people start it."""
    spec, port = folder / "house.yaml", port or free_port()
    spec.write_text(HOUSE)
    given = os.environ | {"OCTOPUS_HOME": str(folder), "OCTOPUS_MODEL": f"openai:slow@{model.url}"}
    given |= {"OCTOPUS_GRACE": str(GRACE), "OMP_NUM_THREADS": "1"} | environment
    command = [sys.executable, "-m", "app.cli", "serve", "--graph", str(spec), "--port", str(port)]
    with subprocess.Popen(command, env=given, stderr=subprocess.PIPE, text=True) as server:
        live = Live(f"http://127.0.0.1:{port}", {})
        try:
            _until_ready(live)
            yield live, server
        finally:
            server.kill()


def _until_ready(live: Live) -> None:
    for _ in range(1200):
        try:
            if httpx.get(f"{live.url}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError


async def ended(server: subprocess.Popen[str]) -> int:
    return await asyncio.to_thread(server.wait, 30)


async def test_a_stream_may_end_and_idle_connections_do_not_hold_the_server(
    tmp_path: Path, model: SlowModel
) -> None:
    model.length = round(0.5 / PACE)
    path, body = SURFACES["chat, streamed"]
    with process(tmp_path, model, OCTOPUS_GRACE="600") as (live, server):
        idle = HTTPConnection("127.0.0.1", int(live.url.rpartition(":")[2]))
        for pause in (6, 0):  # uvicorn's own limit is 5 seconds
            idle.request("GET", "/healthz")
            assert idle.getresponse().read()
            await asyncio.sleep(pause)
        async with asking(live, path, body) as reading:
            await asyncio.to_thread(model.writing)
            server.send_signal(signal.SIGTERM)
            events = (await reading).decode()
        assert await ended(server) == 0
        idle.close()
    assert "data: [DONE]" in events
    assert f"t{model.length - 1} " in events
    assert '"error"' not in events


LEFT_OUT = ("langserve batch", "langserve stream_events", "a page's own prompt")
STOPPED = [name for name in SURFACES if name not in LEFT_OUT]


async def test_what_does_not_end_is_stopped_with_an_error_and_goes_on_at_the_next_server(
    tmp_path: Path, model: SlowModel
) -> None:
    with process(tmp_path, model) as (live, server):
        async with AsyncExitStack() as stack:
            reading = {
                name: await stack.enter_async_context(asking(live, *SURFACES[name], **named(thread(name))))
                for name in STOPPED
            }
            generations = await asyncio.to_thread(model.writing, len(STOPPED))
            at = time.monotonic()
            server.send_signal(signal.SIGTERM)
            said = {name: (await one).decode() for name, one in reading.items()}
        assert await ended(server) == 0
        assert server.stderr is not None
        log = server.stderr.read()
    for one in generations:
        assert one.over.is_set()
        assert one.left
        assert one.after(at) <= (1 + GRACE) * SECOND
    for name, text in said.items():
        check_error(name, text)
    assert "Traceback" not in log
    await check_resumes(tmp_path, model)


def thread(surface: str) -> str:
    return surface.replace(" ", "").replace(",", ".")


def check_error(surface: str, said: str) -> None:
    last: Any = json.loads(said.strip().rsplit("data: ", 1)[-1])
    if surface == "langserve stream":  # LangServe has one error for all
        assert last["status_code"] == 500
    elif surface == "mcp":
        assert last["result"]["isError"]
        assert "shutting down" in last["result"]["content"][0]["text"]
    else:
        assert '"code":"shutting_down"' in json.dumps(last, separators=(",", ":"))


async def check_resumes(folder: Path, model: SlowModel) -> None:
    model.length = 3
    with process(folder, model) as (live, _), live.http() as client:
        for name in ("chat", "chat, streamed"):
            answered = await asyncio.to_thread(live.ask, BREAD, thread=thread(name))
            assert answered["choices"][0]["message"]["content"] == "t0 t1 t2 "
            messages = client.get(f"/threads/{thread(name)}").json()["messages"]
            assert [one["role"] for one in messages] == ["user", "assistant"]
    assert not model.refused


async def test_a_second_interrupt_ends_it_at_once(tmp_path: Path, model: SlowModel) -> None:
    with process(tmp_path, model, OCTOPUS_GRACE="600") as (live, server):
        async with asking(live, *SURFACES["chat, streamed"]):
            await asyncio.to_thread(model.writing)
            server.send_signal(signal.SIGINT)
            with pytest.raises(httpx.ConnectError):
                while True:  # until it takes no more connections
                    httpx.get(f"{live.url}/healthz", trust_env=False)
            server.send_signal(signal.SIGINT)
            assert await ended(server) == -signal.SIGINT
