"""A missing server is named, and in CI it is a failure."""

from __future__ import annotations

import pytest

from tests.app.persistence.conftest import require_binary


def test_a_missing_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="'redis-server'"):
        require_binary("redis-server")


def test_in_ci_it_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="'redis-server'"):
        require_binary("redis-server")
