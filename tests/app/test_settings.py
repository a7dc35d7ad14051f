"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings


def test_an_empty_environment_takes_the_users_directories() -> None:
    settings = Settings.read({})
    assert settings.model is None
    assert settings.threads.sqlite.parent.name == settings.cache_dir.name == "octopus-graph"
    assert settings.threads.redis_url is None
    assert settings.benchmark_data is None


def test_the_environment_is_read() -> None:
    settings = Settings.read({"OCTOPUS_MODEL": "m", "OCTOPUS_HOME": "/h", "OCTOPUS_DATA": "/d"})
    assert (settings.model, settings.threads.sqlite) == ("m", Path("/h/threads.sqlite"))
    assert (settings.cache_dir, settings.benchmark_data) == (Path("/h/cache"), Path("/d"))


def test_an_empty_variable_is_no_setting() -> None:
    settings = Settings.read({"OCTOPUS_MODEL": "", "OCTOPUS_HOME": "", "OCTOPUS_DATA": ""})
    assert settings == Settings.read({})


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOPUS_MODEL", "openai:m@http://localhost:1/v1")
    assert Settings.read().model == "openai:m@http://localhost:1/v1"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(Settings.read({}), "model", "other")  # noqa: B010 - mypy refuses the plain form
