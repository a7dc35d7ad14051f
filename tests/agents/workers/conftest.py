"""What tests of workers share: a strict model server on loopback, and the process of the tools."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loopback import ChatServer, serving
from tools.sandbox import Sandbox


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serving(ChatServer()) as chat:
        yield chat


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seconds=10) as box:
        yield box
