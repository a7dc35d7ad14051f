"""What the server says when it starts, and whom it serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.server.live import BREAD, serving
from tests.loopback import free_port


def test_a_redis_that_does_not_answer_is_named_when_the_server_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = f"127.0.0.1:{free_port()}"
    with serving(tmp_path, REDIS_URL=f"redis://octopus:ink@{place}/0") as live, live.http(None) as client:
        assert client.get("/healthz").status_code == 200
    said = [record.getMessage() for record in caplog.records if record.name == "octopus.server"]
    assert f"redis://octopus:***@{place}/0" in said[0]
    assert "does not answer" in said[0]


def test_without_keys_this_machine_is_served_and_web_pages_are_not(tmp_path: Path) -> None:
    with serving(tmp_path, OCTOPUS_API_KEYS="") as live, live.http(None) as client:
        assert live.ask(BREAD)["error"]["octopus"]["path"] == ["cooking"]
        assert client.get("/v1/models", headers={"Host": "evil.example"}).status_code == 400
        as_form = {"content-type": "text/plain", "Origin": "http://evil.example"}
        reply = client.post("/v1/chat/completions", content=b"{}", headers=as_form)
        assert reply.status_code == 400
        assert "access-control-allow-origin" not in client.get("/healthz", headers=as_form).headers


def test_pages_that_may_call(tmp_path: Path) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    with serving(tmp_path, OCTOPUS_CORS_ORIGINS="https://a.example") as live, live.http(None) as client:
        reply = client.options("/v1/chat/completions", headers=asked)
        assert reply.headers["access-control-allow-origin"] == "https://a.example"
        reply = client.options("/v1/chat/completions", headers=asked | {"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in reply.headers
