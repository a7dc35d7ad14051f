"""Settings of the server, from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.errors import InputError
from app.server.api_keys import new_key
from app.server.settings import ServerSettings, is_loopback


def test_settings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(new_key("alice")[1])
    home = {"OCTOPUS_HOME": str(tmp_path)}
    settings = ServerSettings.read(
        home
        | {
            "OCTOPUS_API_KEYS_FILE": str(file),
            "OCTOPUS_API_KEYS": new_key("bob")[1],
            "OCTOPUS_RATE": "5/second",
        }
    )
    assert sorted(caller.name for caller in settings.keys.values()) == ["alice", "bob"]
    assert settings.rates[0].amount == 5
    assert next(iter(settings.keys)) not in repr(settings)
    assert ServerSettings.read(home).keys == {}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OCTOPUS_RATE", "often"),
        ("OCTOPUS_TIMEOUT", "0"),
        ("OCTOPUS_CONCURRENCY", "many"),
        ("OCTOPUS_API_KEYS_FILE", "/nowhere"),
        ("OCTOPUS_API_KEYS", "# none"),
    ],
)
def test_faulty_settings_are_named(tmp_path: Path, variable: str, value: str) -> None:
    named = "API keys are set" if variable == "OCTOPUS_API_KEYS" else f"{variable}='{value}'"
    with pytest.raises(InputError, match=named):
        ServerSettings.read({"OCTOPUS_HOME": str(tmp_path), variable: value})


def test_a_public_address_needs_a_key(tmp_path: Path) -> None:
    home = {"OCTOPUS_HOME": str(tmp_path)}
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org", ""):
        with pytest.raises(InputError, match="no API key is set"):
            ServerSettings.read(home).check_address(host)
        ServerSettings.read(home | {"OCTOPUS_API_KEYS": new_key("a")[1]}).check_address(host)
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        assert is_loopback(host)
        ServerSettings.read(home).check_address(host)
