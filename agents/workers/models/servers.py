"""Look at the model servers of this machine: which answer, and which models they have.

Only loopback is asked, no key is sent, and of what does not answer in time that is said.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from agents.settings import USUAL_PORTS, LocalServers
from agents.workers.models.listings import (
    OWNERS,
    READERS,
    NoAnswerError,
    ServedModel,
    openai,
    rows,
    speciality,
    text,
)

QUICK, THOROUGH = 0.5, 5.0
"""Seconds for all servers together: to see who is there, and to ask for all that they know."""
_KEPT = 30.0  # seconds that a window is known, so that a question seldom waits for it
_SHOWN = 8  # models of a server in a message
_BYTES = 20_000_000
_TOLD_BY_PORT = frozenset({"ollama", "lmstudio", "jan"})  # the others sign their listings
_FRESH = 2.0  # seconds that a finding is used again, so that the workers of a graph look once
TITLES: Mapping[str, str] = {
    "ollama": "Ollama",
    "lmstudio": "LM Studio",
    "llamacpp": "llama.cpp",
    "vllm": "vLLM",
    "jan": "Jan",
    "sglang": "SGLang",
    "octopus": "Octopus Graph",
}


@dataclass(frozen=True)
class Server:
    """Describe what was found on a port.

    Attributes:
        kind: of the server, "" where it speaks OpenAI's protocol and no more is known.
        models: that it has.
        fault: why they cannot be used; "" where they can.
    """

    kind: str
    port: int
    models: tuple[ServedModel, ...] = ()
    fault: str = ""

    @property
    def title(self) -> str:
        """Return the name of the server, for people."""
        return TITLES.get(self.kind, f"the server on port {self.port}")

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def chats(self) -> list[ServedModel]:
        """Return the models that answer questions; of another Octopus Graph none: it might ask this one."""
        return [] if self.kind == "octopus" else [model for model in self.models if model.use == "chat"]

    @property
    def answering(self) -> list[ServedModel]:
        """Return the models that chat on this machine: that were not taught only to go on with a text."""
        return [
            one
            for one in self.chats
            if not one.elsewhere and not one.name.endswith("cloud") and speciality(one.name) != "completion"
        ]

    def named(self, name: str) -> ServedModel | None:
        """Return the model of this name; a tag `:latest` and the folder of a file go without saying."""
        wanted = {name.lower(), f"{name}:latest".lower()}
        for model in self.models:
            full = model.name.lower()
            file = full.rsplit("/", 1)[-1] if self.kind == "llamacpp" else full
            if wanted & {full, file, file.removesuffix(".gguf")}:
                return model
        return None

    def asked(self, name: str) -> ServedModel | None:
        """Return the model that answers to this name: llama.cpp's only one answers to any."""
        alone = self.kind == "llamacpp" and len(self.models) == 1
        return self.models[0] if alone else self.named(name)

    def reference(self, model: str) -> str:
        """Return how a model of this server is written."""
        if self.kind not in USUAL_PORTS:
            return f"openai:{model}@{self.url}/v1"
        usual = USUAL_PORTS[self.kind] == self.port
        return f"{self.kind}:{model}" if usual else f"{self.kind}:{model}@{self.url}"


_windows: dict[tuple[str, str], tuple[float, int | None]] = {}
_seen: dict[tuple[object, ...], tuple[float, list[Server]]] = {}


def look(
    places: Sequence[tuple[str, int]] | None = None, *, seconds: float = QUICK, thorough: bool = False
) -> list[Server]:
    """Return what is on each port, in their order; blocking, for at most so many seconds.

    Args:
        places: (kind, port); None takes those of the environment.
        seconds: for all of them, which are asked at once.
        thorough: whether each model is asked for, where a listing does not tell all.
    """
    places = LocalServers.read().places if places is None else tuple(places)
    key = (tuple(places), thorough)
    if (found := _seen.get(key)) and time.monotonic() - found[0] < _FRESH:
        return found[1]
    answers: queue.SimpleQueue[tuple[int, Server]] = queue.SimpleQueue()
    end = time.monotonic() + seconds

    def ask(index: int, kind: str, port: int) -> None:
        answers.put((index, _looked_at(kind, port, end, thorough)))

    for index, (kind, port) in enumerate(places):
        # Nobody waits for a thread whose server hangs; not even the end of the program.
        threading.Thread(target=ask, args=(index, kind, port), name="look", daemon=True).start()
    servers = [Server(kind, port, fault=f"says nothing within {seconds:g} s") for kind, port in places]
    with suppress(queue.Empty):
        for _ in places:
            index, server = answers.get(timeout=max(0.0, end - time.monotonic()))
            servers[index] = server
    _seen[key] = time.monotonic(), servers
    return servers


def server_at(url: str) -> Server | None:
    """Return what is at a URL of this machine, as `look` does; None where the URL is of another."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        if parts.scheme != "http" or (host != "localhost" and not ip_address(host).is_loopback):
            return None
    except ValueError:
        return None
    kinds = {usual: kind for kind, usual in USUAL_PORTS.items()}
    return look([(kinds.get(port, ""), port)])[0]


def window_of(url: str, name: str) -> int | None:
    """Return the tokens of prompt and answer that a model takes, if its server is here and says so."""
    key = (url, name)
    if (kept := _windows.get(key)) and time.monotonic() - kept[0] < _KEPT:
        return kept[1]
    server = server_at(url)
    model = server.asked(name) if server else None
    window = model.window if model else None
    if window or (server and server.fault):  # else it may load the model soon, and know
        _windows[key] = time.monotonic(), window
    return window


def completes(server: Server, model: str) -> bool:
    """Return whether an Ollama that says what a model can do says that it writes text."""
    ask = _Asking(server.port, time.monotonic() + QUICK)
    try:
        can = ask("/api/show", {"model": model}).get("capabilities")
    except (NoAnswerError, AttributeError):
        return True
    return not isinstance(can, list) or "completion" in can


def missing(name: str, servers: Sequence[Server], who: str = "no server on this machine has") -> str:
    """Say that nobody has a model of this name, and which models there are."""
    usable = [server for server in servers if server.kind != "octopus"]
    names = {server.reference(model.name): model.name for server in usable for model in server.models}
    close = get_close_matches(name, [*names.values(), *names], 1, 0.6)
    near = next((full for full, short in names.items() if close and close[0] in (full, short)), "")
    return f"{who} the model {name!r}. {there(servers)}{f' Did you mean {near}?' if near else ''}"


def there(servers: Sequence[Server]) -> str:
    """Say which models each server has."""
    told = []
    for server in servers:
        names = [model.name for model in server.models]
        if names and server.kind != "octopus":
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            told.append(f"{server.title} has {', '.join(names[:_SHOWN])}{more}")
    if told:
        return "; ".join(told) + "."
    places = ", ".join(f"{TITLES.get(one.kind, 'any')} on port {one.port}" for one in servers)
    return f"None answers; looked for {places}." if places else "OCTOPUS_SERVERS says not to look for any."


@dataclass(frozen=True)
class _Asking:
    """Ask a port of this machine until a moment of the monotonic clock."""

    port: int
    end: float

    def __call__(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON at `path`."""
        left = self.end - time.monotonic()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=max(left, 0.001))
        try:
            sent = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request("GET" if body is None else "POST", path, sent, headers)
            reply = connection.getresponse()
            if reply.status in (401, 403):
                raise NoAnswerError("wants a key; write openai:NAME@URL, and its key in OPENAI_API_KEY")
            if reply.status != 200:
                raise NoAnswerError(f"answers {path} with status {reply.status}")
            return json.loads(self._body(reply.read1))
        except ConnectionRefusedError as error:
            raise NoAnswerError("no answer") from error
        except (OSError, HTTPException) as error:
            raise NoAnswerError(f"breaks off ({type(error).__name__})") from error
        except ValueError as error:
            raise NoAnswerError("is no model server") from error
        finally:
            connection.close()

    def _body(self, read: Callable[[int], bytes]) -> bytes:
        parts: list[bytes] = []
        while part := read(65536):
            parts.append(part)
            if time.monotonic() > self.end or sum(map(len, parts)) > _BYTES:
                raise NoAnswerError("sends a list without end")
        return b"".join(parts)

    def all(self, path: str, bodies: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the JSON for each body, asked for at once; {} where there is none in time."""
        found: list[Any] = [{} for _ in bodies]

        def one(index: int, body: Mapping[str, Any]) -> None:
            with suppress(NoAnswerError):
                found[index] = self(path, body)

        threads = [
            threading.Thread(target=one, args=(index, body), daemon=True) for index, body in enumerate(bodies)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, self.end - time.monotonic()))
        return list(found)


def _looked_at(kind: str, port: int, end: float, thorough: bool) -> Server:
    ask = _Asking(port, end)
    try:
        listed = rows(ask("/v1/models"), "data")
        owners = {text(row, "owned_by") for row in listed}
        told = next((kind for owner, kind in OWNERS.items() if owner in owners), "")
        kind = told or (kind if kind in _TOLD_BY_PORT else "")
        try:
            models = tuple(READERS.get(kind, openai)(ask, listed, thorough))
        except NoAnswerError:  # another server on its usual port
            kind, models = "", tuple(openai(ask, listed, thorough))
        return Server(kind, port, models)
    except NoAnswerError as fault:
        return Server(kind, port, fault=str(fault))
