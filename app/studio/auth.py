"""Authenticate with the API keys of `octopus serve`, for `auth.path` of langgraph.json; threads have owners.

Without keys the server is for its own machine, and everything is one person's.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from langgraph_sdk import Auth

from app.server.api_keys import LOCAL, key_hash
from app.server.settings import ServerSettings, is_loopback

auth = Auth()
_OWNER = "octopus_owner"


@auth.authenticate
async def authenticate(authorization: str | None, scope: dict[str, Any]) -> Auth.types.MinimalUserDict:
    """Return the name of the caller, whose Bearer key has the scopes `chat` and `threads`.

    Raises:
        HTTPException: 401, there are keys and this is none of them, or there is none and the caller is not
            on this machine; 403, a scope is missing.
    """
    keys = _settings().keys
    if not keys:
        client = scope.get("client")
        if client and not is_loopback(client[0]):
            raise Auth.exceptions.HTTPException(
                401, "This server has no API keys: it serves its own machine."
            )
        return {"identity": LOCAL.name or "local"}
    kind, _, key = (authorization or "").partition(" ")
    caller = keys.get(key_hash(key.strip())) if kind.lower() == "bearer" else None
    if caller is None:
        raise Auth.exceptions.HTTPException(401, "The API key is missing or wrong.")
    if not {"chat", "threads"} <= caller.scopes:
        raise Auth.exceptions.HTTPException(403, "This API key lacks the scope 'chat' or 'threads'.")
    return {"identity": caller.name}


@auth.on
async def own(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> dict[str, str]:
    """Mark what is made with its owner's name, so that nobody else finds it."""
    owner = {_OWNER: ctx.user.identity}
    value.setdefault("metadata", {}).update(owner)
    return owner


@auth.on.assistants
async def assistants(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> bool:
    """Show the graphs to everybody; if there are keys, nobody may change them for the others."""
    return ctx.action in ("read", "search") or not _settings().keys


@auth.on.store
async def store(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> bool:
    """Give each owner a part of the store."""
    value["namespace"] = (ctx.user.identity.replace(".", "~"), *(value.get("namespace") or ()))
    return True


@cache
def _settings() -> ServerSettings:
    return ServerSettings.read()
