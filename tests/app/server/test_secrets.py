"""Secrets are nowhere, and no field of a request makes the server call somebody."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.app.server.live import BREAD, CUBE, Live, serving
from tests.loopback import ChatServer

MODEL_KEY, URL_PASSWORD, URL_KEY = "sk-model-key-8f1c", "url-password-77aa", "query-key-55dd"


def test_secrets_are_in_no_answer_log_trace_checkpoint_or_metric(
    tmp_path: Path, chat: ChatServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", lambda name: provider.get_tracer(name))
    monkeypatch.setenv("OPENAI_API_KEY", MODEL_KEY)
    url = chat.url.replace("http://", f"http://user:{URL_PASSWORD}@") + f"?key={URL_KEY}"
    told: list[str] = []
    with (
        caplog.at_level(logging.DEBUG),
        serving(tmp_path, OCTOPUS_MODEL=f"openai:tiny@{url}") as live,
        live.http() as client,
        live.http("operator") as operator,
    ):
        chat.statuses = [401, 401]
        refused = live.ask(BREAD, thread="secret")
        assert refused["error"]["type"] == "server_error"
        live.ask(CUBE, thread="secret")
        told += [json.dumps(refused), json.dumps(live.ask(BREAD, model="attic"))]
        for path in (
            "/threads",
            "/threads/secret",
            "/threads/secret/history",
            "/threads/secret/export",
            "/v1/models",
            "/readyz",
            "/openapi.json",
            "/octopus/config_schema",
        ):
            told.append(client.get(path).text)
        told += [
            operator.get("/metrics").text,
            str([dict(s.attributes or {}) for s in exporter.get_finished_spans()]),
        ]
        secrets = {MODEL_KEY, URL_PASSWORD, URL_KEY, *live.keys.values()}
    told.append(
        "\n".join(r.getMessage() for r in caplog.records if r.name.startswith(("octopus", "uvicorn", "app")))
    )
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"secret" in kept  # the thread's name: these are the files
    for secret in secrets:
        assert not [text for text in told if secret in text], secret
        assert secret.encode() not in kept, secret


@contextmanager
def listening() -> Iterator[tuple[str, list[Any]]]:
    """A URL on this machine, and who called it."""
    calls: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def wait() -> None:
            while not over.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                calls.append(address)
                connection.close()

        thread = threading.Thread(target=wait)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/x.png", calls
        finally:
            over.set()
            thread.join()


def test_no_field_makes_the_server_call_somebody(live: Live) -> None:
    with listening() as (url, calls), live.http() as client:
        image = {"type": "image_url", "image_url": {"url": url}}
        text = {"type": "text", "text": f"{CUBE} See {url}"}
        content: Any
        for content in ([text, image], [image], [{"type": "file", "file": {"file_data": url}}]):
            body = {"model": "house", "messages": [{"role": "user", "content": content}]}
            reply = client.post("/v1/chat/completions", json=body)
            assert (reply.status_code, reply.json()["error"]["code"]) == (400, "unsupported_content")
        for part in ("input_image", "input_file", "input_audio"):
            content = [{"type": part, "image_url": url, "file_url": url}]
            reply = client.post(
                "/v1/responses", json={"model": "house", "input": [{"role": "user", "content": content}]}
            )
            assert (reply.status_code, reply.json()["error"]["code"]) == (400, "unsupported_content")
        for model in (f"openai:x@{url}", url, f"house/{url}"):
            assert live.ask(CUBE, model=model)["error"]["code"] == "model_not_found"
        tool = {"type": "mcp", "server_label": "x", "server_url": url}
        for more in ({"tools": [tool]}, {"base_url": url}, {"web_search_options": {"url": url}}):
            assert live.ask(f"{CUBE} {url}", **more)["error"]["param"]
        assert "error" not in live.ask(f"{CUBE} {url}", user=url, metadata={"url": url})
        served = {"configurable": {"model": f"openai:x@{url}", "base_url": url}}
        given = {"input": {"messages": [{"role": "user", "content": [image]}]}, "config": served}
        assert client.post("/octopus/invoke", json=given).status_code == 400
        assert not calls
