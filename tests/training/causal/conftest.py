"""Make an artifact that the tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.causal.subjects import train


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("functional")
    train(out)
    return out
