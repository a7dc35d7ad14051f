"""The real server: uvicorn on loopback, in a thread of this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from openai import OpenAI

from app.server.api_keys import new_key
from app.server.application import create_app
from app.server.settings import ServerSettings
from evaluation.people import serving_app

HOUSE = """\
name: house
description: A small house.
masters:
  chief: {neighbours: [cooking, maths], generalist: cooking}
workers:
  cooking: {description: "Recipes, and how to cook and bake food."}
  maths: {description: "Calculus: derivatives, integrals and limits of functions.", tools: [calculus]}
"""
BREAD = "How do I bake bread?"
CUBE = "What is the derivative of x^3 at x = 2?"


@dataclass(frozen=True)
class Live:
    """A running server.

    Attributes:
        url: where it is.
        keys: API keys by their names.
    """

    url: str
    keys: dict[str, str]

    def http(self, name: str | None = "alice") -> httpx.Client:
        """A plain client; None sends no key."""
        key = self.keys.get(name or "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def openai(self, name: str = "alice") -> OpenAI:
        """The official client."""
        return OpenAI(base_url=f"{self.url}/v1", api_key=self.keys.get(name, "none"), max_retries=0)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        with self.http("operator") as client:
            lines = client.get("/metrics").text.splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + "{", name + " "))
        )

    def ask(self, question: str, *, name: str = "alice", thread: str | None = None, **more: Any) -> Any:
        """The JSON answer of a chat completion."""
        body = {"model": "house", "messages": [{"role": "user", "content": question}], **more}
        headers = {"X-Octopus-Thread": thread} if thread else {}
        with self.http(name) as client:
            return client.post("/v1/chat/completions", json=body, headers=headers).json()


def keyring(**scopes: str) -> tuple[dict[str, str], str]:
    """Fresh keys by name, and OCTOPUS_API_KEYS for the server."""
    made = {name: new_key(name) for name in scopes}
    entries = [f"{made[name][1]}:{scope}" for name, scope in scopes.items()]
    return {name: key for name, (key, _) in made.items()}, ",".join(entries)


@contextmanager
def serving(folder: Path, graph: str = HOUSE, **environment: str) -> Iterator[Live]:
    """A server of a small graph, with threads in `folder` or where `environment` says."""
    keys, entries = keyring(alice="chat+threads", bob="chat+threads", chatter="chat", operator="metrics")
    spec = folder / "house.yaml"
    spec.write_text(graph)
    given = {"OCTOPUS_HOME": str(folder), "OCTOPUS_API_KEYS": entries} | environment
    settings = ServerSettings.read(given, graphs=(str(spec),))
    with running(settings) as url:
        yield Live(url, keys if settings.keys else {})


@contextmanager
def running(settings: ServerSettings) -> Iterator[str]:
    """The url of a server with these settings."""
    with serving_app(create_app(settings), log_level="warning", timeout_graceful_shutdown=2) as url:
        yield url


def eventually(condition: Any, seconds: float = 5.0) -> bool:
    """Whether `condition()` comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False
