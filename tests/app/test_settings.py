"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.errors import InputError
from agents.settings import LocalServers, ProviderKeys
from app.server.settings import ServerSettings
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


def test_conversations_are_kept_where_the_environment_says() -> None:
    place = Settings.read(
        {"REDIS_CLUSTER": "1", "OCTOPUS_THREAD_TTL": "60", "REDIS_URL": "redis://h/0"}
    ).threads
    assert (place.cluster, place.ttl, place.redis_url) == (True, 60.0, "redis://h/0")
    assert Settings.read({"OCTOPUS_CHECKPOINTS": "/c.sqlite"}).threads.sqlite == Path("/c.sqlite")
    assert Settings.read({"OCTOPUS_THREAD_TTL": ""}).threads.ttl is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OCTOPUS_THREAD_TTL", "soon"), ("REDIS_CLUSTER", "maybe"), ("OCTOPUS_MODEL_MEMORY", "much")],
)
def test_a_wrong_value_is_named(variable: str, value: str) -> None:
    with pytest.raises(InputError, match=f"{variable}.*'{value}'"):
        Settings.read({variable: value})


def test_secrets_are_not_shown() -> None:
    settings = Settings.read({"REDIS_URL": "redis://:hidden@h/0", "OCTOPUS_ENCRYPTION_KEY": "hidden"})
    assert "hidden" not in repr(settings) + repr(settings.threads)


def test_every_variable_is_in_the_documentation() -> None:
    texts = "".join(
        file.read_text(encoding="utf-8") for file in (Path("README.md"), *Path("docs").glob("*.md"))
    )
    fields = [
        field
        for kind in (ProviderKeys, LocalServers, Settings, ServerSettings)
        for field in kind.model_fields.values()
    ]
    names = [field.alias for field in fields if field.alias]
    assert len(names) > 20
    assert [name for name in names if name not in texts] == []
