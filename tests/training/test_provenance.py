"""Check that a run continues only with what it began with."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from agents.errors import InputError
from training.provenance import claim_folder, fingerprint, versions


def test_versions_name_what_is_not_installed() -> None:
    found = versions("numpy", "no-such-package")
    assert list(found) == ["python", "numpy", "no-such-package"]
    assert found["python"] == platform.python_version()
    assert found["numpy"][0].isdigit() and found["no-such-package"] == "not installed"


def test_a_fingerprint_depends_on_values_and_not_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert fingerprint(Path("x")) == fingerprint("x")


def test_a_folder_belongs_to_the_settings_of_its_first_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    claim_folder(folder, {"seed": 0}, begun=False)
    claim_folder(folder, {"seed": 0}, begun=True)
    with pytest.raises(InputError, match="other settings"):
        claim_folder(folder, {"seed": 1}, begun=True)
    claim_folder(folder, {"seed": 1}, begun=False)
    claim_folder(folder, {"seed": 1}, begun=True)


def test_work_that_does_not_say_what_it_is_of_is_not_continued(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="other settings"):
        claim_folder(tmp_path, {}, begun=True)
