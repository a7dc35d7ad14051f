"""List the models of this machine and those that a graph uses, `octopus models`; offer one of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import Graph, Model, Models, settings_of

if TYPE_CHECKING:
    from agents.workers.models.listings import ServedModel
    from agents.workers.models.servers import Server
    from app.runs.events import Answered
    from app.settings import Settings
    from graphs.spec import GraphSpec

cli = typer.Typer(invoke_without_command=True)


@cli.callback()
def models(
    context: typer.Context,
    graph: Graph = "mmlu",
    model: Model = None,
    models: Models = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the models that answer on this machine, and which of them each worker of a graph uses.

    A figure is what the model's server says; what it does not say is not shown. Nothing but this machine is
    asked, and the servers that the graph itself names.
    """
    if context.invoked_subcommand is not None:
        return
    from agents.workers.models.servers import THOROUGH, look
    from graphs.assembly import assemble, find_spec

    settings = settings_of(model, models)
    with ThreadPoolExecutor(1) as beside:
        looking = beside.submit(look, seconds=THOROUGH, thorough=True)
        assembly = assemble(find_spec(graph), settings)
        used = used_models(assembly.spec, settings)
        servers = looking.result()
    if as_json:
        print(json.dumps(_as_json(servers, assembly.spec, used, assembly.routing.notice)))  # noqa: T201
        return
    for server in servers:
        _show_server(server)
    _show_silent(servers)
    _show_used(assembly.spec.name, used)
    if notice := assembly.routing.notice:
        typer.echo(f"\nrouter: {notice}")


@dataclass(frozen=True)
class Used:
    """Say which model a worker uses.

    Attributes:
        model: as it is written, without passwords; "" for none.
        general: whether it is the one of all workers that have none of their own.
        trouble: why it cannot be asked now; "" where it can.
        served: what its server on this machine says of it.
    """

    model: str = ""
    general: bool = False
    trouble: str = ""
    served: ServedModel | None = None


def used_models(spec: GraphSpec, settings: Settings) -> dict[str, Used]:
    """Return the model of each worker that answers; each model is tried once, all at a time."""
    general = settings.model or ""
    wanted = {name: worker.model or general for name, worker in spec.workers.items() if worker.graph is None}
    distinct = sorted(set(wanted.values()) - {""})
    with ThreadPoolExecutor(8) as together:
        tried = dict(zip(distinct, together.map(_tried, distinct), strict=True))
    found = {}
    for name, text in wanted.items():
        own = spec.workers[name].model is not None
        found[str(name)] = Used(general=not own, **(tried[text] if text else {}))
    return found


def _tried(text: str) -> dict[str, Any]:
    from agents.errors import OctopusGraphError
    from agents.redaction import bare_urls
    from agents.workers.kinds import parse_reference
    from agents.workers.models.clients import OpenAIReference
    from agents.workers.models.servers import server_at

    shown: dict[str, Any] = {"model": bare_urls(text)}
    try:
        reference = parse_reference(text)
        if trouble := reference.trouble():
            return shown | {"trouble": bare_urls(trouble)}
        found = reference.found()
    except OctopusGraphError as error:
        return shown | {"trouble": bare_urls(str(error))}
    server = server_at(found.base_url) if isinstance(found, OpenAIReference) else None
    return shown | {"served": server.asked(found.name) if server else None}


def _as_json(
    servers: Sequence[Server], spec: GraphSpec, used: Mapping[str, Used], notice: str
) -> dict[str, Any]:
    return {
        "servers": [
            {"kind": one.kind, "title": one.title, "url": one.url, "fault": one.fault or None}
            | {"models": [_known(asdict(model)) for model in one.models]}
            for one in servers
        ],
        "graph": spec.name,
        "router": notice or None,
        "workers": {
            name: {"model": one.model or None, "general": one.general, "trouble": one.trouble or None}
            | {"served": _known(asdict(one.served)) if one.served else None}
            for name, one in used.items()
        },
    }


def _known(model: dict[str, Any]) -> dict[str, Any]:
    """Write what is not known as null."""
    return {key: value if value not in ("", ()) else None for key, value in model.items()}


def _show_server(server: Server) -> None:
    if server.fault:
        return
    typer.echo(f"{server.title}  {server.url}" + ("" if server.models else "  has no model yet"))
    width = max((len(model.name) for model in server.models), default=0)
    for model in server.models:
        typer.echo(f"  {model.name:{width}}  {'  '.join(described(model))}".rstrip())


def _show_silent(servers: Sequence[Server]) -> None:
    silent = [f"{one.title} on {one.port}" for one in servers if one.fault == "no answer"]
    for one in servers:
        if one.fault and one.fault != "no answer":
            typer.echo(f"{one.title}  {one.url}  {one.fault}")
    if silent:
        typer.echo(f"no answer: {', '.join(silent)}")


def _show_used(graph: str, used: Mapping[str, Used]) -> None:
    typer.echo(f"\ngraph {graph}")
    own = {name: one for name, one in used.items() if not one.general}
    width = max((len(name) for name in (*own, "the others")), default=0)
    for name, one in own.items():
        typer.echo(f"  {name:{width}}  {_told(one)}")
    rest = [one for one in used.values() if one.general]
    if rest:
        who = "the others" if own else "all workers"
        told = _told(rest[0]) if rest[0].model else "no model; their tools alone answer"
        typer.echo(f"  {who:{width}}  {told}")


def _told(one: Used) -> str:
    if one.trouble:
        return f"{one.model}  {one.trouble}"
    if one.served is None:
        return one.model
    name = "" if one.served.name in one.model else f" ({one.served.name})"
    return "  ".join([f"{one.model}{name}", *described(one.served)])


def described(model: ServedModel) -> list[str]:
    """Say in a few words each what is known of a model."""
    told = [f"{_short(model.parameters)} parameters"] if model.parameters else []
    if model.size:
        told.append(f"{model.size / 1e9:.1f} GB" if model.size >= 1e9 else f"{model.size / 1e6:.0f} MB")
    if model.window:
        longest = f" of {model.longest:,}" if model.longest and model.longest != model.window else ""
        told.append(f"window {model.window:,}{longest}")
    elif model.longest:
        told.append(f"window up to {model.longest:,}")
    told += filter(None, (model.quantisation, model.licence, ", ".join(model.reads)))
    told += ["tools"] if model.tools else []
    told += [model.use] if model.use != "chat" else []
    told += [f"runs at {model.elsewhere}"] if model.elsewhere else ["loaded"] if model.loaded else []
    return told


def _short(count: int) -> str:
    return f"{count / 1e9:.3g}B" if count >= 1e9 else f"{count / 1e6:.3g}M"


def offer(how: str) -> str:
    """Say which model of this machine could be connected, and how; "" where there is none."""
    from agents.errors import ModelUnavailableError
    from agents.workers.models.named import best
    from agents.workers.models.servers import look

    try:
        server, model, _ = best(look())
    except ModelUnavailableError:
        return ""
    return f"{server.title} on this machine has {model.name}; {how} takes it."


def advice(answered: Answered, spec: GraphSpec, settings: Settings, how: str) -> str:
    """Say what this machine has where a run failed for want of a model; "" where that is not why."""
    from agents.types import NodeName

    code = answered.failure["code"] if answered.failure else ""
    if code == "no_model" and not settings.model:
        return offer(how)
    worker = spec.workers.get(NodeName(answered.path[-1])) if answered.path else None
    if code != "not_found" or worker is None:
        return ""
    trouble = str(_tried(worker.model or settings.model or "").get("trouble", ""))
    return f"{trouble[:1].upper()}{trouble[1:]}"


class _Telling(logging.Handler):
    """Show on the terminal which model a name stands for, once, and why there is none."""

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        self.quiet = quiet
        self._last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Show a line that is new."""
        from app.commands.terminal import say, warn

        text = record.getMessage()
        if text == self._last:
            return
        self._last = text
        if record.levelno > logging.INFO:
            warn(text)
        elif not self.quiet:
            say(f"  model   {text}", style="dim")


def tell_choices(*, quiet: bool = False) -> None:
    """Show from now on which models are chosen by name, and which are not found."""
    log = logging.getLogger("octopus.choices")
    log.handlers = [_Telling(quiet)]
    log.setLevel(logging.INFO)
