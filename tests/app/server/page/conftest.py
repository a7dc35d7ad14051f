"""A real browser, and the real server of several graphs for it to look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

from app.server.settings import ServerSettings
from tests.app.persistence.conftest import require_binary
from tests.app.server.live import running
from tests.app.server.page.graphs import written
from tests.loopback import ChatServer
from tests.loopback import serving as serving_chat

Open = Callable[..., Page]
HERE = re.compile(r"127\.0\.0\.1|\[?::1\]?")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, which can look up no name."""
    path = require_binary("chromium")
    expect.set_options(timeout=60_000)  # a busy machine is slow, not wrong
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _chat() -> Iterator[ChatServer]:
    with serving_chat(ChatServer()) as chat:
        yield chat


@pytest.fixture
def chat(_chat: ChatServer) -> ChatServer:
    """The model server, as new."""
    _chat.words, _chat.statuses, _chat.requests = ChatServer().words, [], []
    _chat.delay = _chat.pace = 0.0
    return _chat


@pytest.fixture(scope="session")
def url(_chat: ChatServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server is; it wants no key."""
    folder = tmp_path_factory.mktemp("page")
    given = {"OCTOPUS_HOME": str(folder), "OCTOPUS_MODEL": f"openai:tiny@{_chat.url}"}
    with running(ServerSettings.read(given, graphs=written(folder))) as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, chat: ChatServer, tmp_path: Path) -> Iterator[Open]:
    """Opens pages; at the end, none of them complained or reached for another machine.

    `refused` is a pattern of the paths that a journey has the server refuse; Chromium logs those itself.
    """
    contexts, complaints, elsewhere = [], list[str](), list[str]()

    def opened(url: str, *, refused: str | None = None, **settings: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | settings))
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()

        def logged(message: Any) -> None:
            at = urlsplit(message.location["url"]).path
            expected = refused and "Failed to load resource" in message.text and re.fullmatch(refused, at)
            if message.type in ("error", "warning") and not expected:
                complaints.append(f"{message.text} ({at})")

        def asked(request: Any) -> None:
            parts = urlsplit(request.url)
            if parts.scheme not in ("blob", "data") and not HERE.fullmatch(parts.hostname or ""):
                elsewhere.append(request.url)

        def dismissed(dialog: Dialog) -> None:
            complaints.append(dialog.message)
            dialog.dismiss()

        page.on("console", logged)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", dismissed)
        context.on("request", asked)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert elsewhere == []
