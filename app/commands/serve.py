"""Serve graphs to OpenAI clients over HTTP: `octopus serve`."""

from __future__ import annotations

import errno
import socket
from typing import Annotated

import typer

from app.commands.options import Model, Models, needs_server_packages, settings_of


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; elsewhere than here needs API keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    graph: Annotated[
        list[str] | None,
        typer.Option("--graph", "-g", help="Name of a shipped graph, or path of a spec; may be repeated."),
    ] = None,
    model: Model = None,
    models: Models = None,
    new_key: Annotated[
        str | None, typer.Option(help="Print a new API key of this name with its entry, and end.")
    ] = None,
) -> None:
    """Serve graphs to OpenAI clients, with threads, health and metrics."""
    with needs_server_packages():
        from app.server.api_keys import new_key as make_key
        from app.server.application import serve as serve_graphs
        from app.server.settings import ServerSettings
    if new_key is not None:
        key, entry = make_key(new_key)
        typer.echo(f"key for the client:    {key}\nfor OCTOPUS_API_KEYS:  {entry}")
        return
    settings = ServerSettings.read(graphs=tuple(graph or ["mmlu"]))
    settings = settings.model_copy(update={"application": settings_of(model, models)})
    settings.check_address(host)
    # Checked here too, where a wrong one is one line and not a traceback of the server's start.
    from app.commands.models import tell_choices
    from graphs.assembly import assemble, find_spec

    specs = [find_spec(name) for name in settings.graphs]
    for spec in specs:
        if notice := assemble(spec, settings.application, among=specs).routing.notice:
            typer.echo(notice, err=True)
    tell_choices()
    _check_free(host, port)
    serve_graphs(settings, host, port)


def _check_free(host: str, port: int) -> None:
    """Refuse a port in use before the graphs are opened; uvicorn would find it last."""
    from agents.errors import InputError

    try:
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            socket.create_server(address[:2], family=family).close()
    except OSError as error:  # any other is uvicorn's to judge: of several addresses it may do without one
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"port {port} is taken on {host}; choose another with --port.") from error
