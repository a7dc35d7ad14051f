"""Send typed JSON to a server's replicas and check what they reply; on a fault ask the next one."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.errors import ModelUnavailableError
from agents.redaction import bare_urls
from agents.settings import ProviderKeys

_AGAIN = frozenset({408, 409, 425, 429})
_PATIENCE = 2.0  # seconds for a server to say that it is there
_SHOWN = 300  # characters of a server's words in a message


class RequestBody(BaseModel):
    """Define a body; a misspelt field is a bug, because some engines ignore what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReplyBody(BaseModel):
    """Define the fields of a reply that are read; newer servers send more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


T = TypeVar("T", bound=ReplyBody)


class ReplicaError(Exception):
    """Signal that one replica failed; another may not."""


class Replicas:
    """Ask the same server at several URLs.

    Args:
        urls: where to ask, in this order; the one that answered last is asked first from then on.
        timeout: seconds for one request.
    """

    def __init__(self, urls: Sequence[str], timeout: float = 30.0) -> None:
        self._urls = list(urls)
        self._timeout = timeout
        self._first = 0
        self._keys = ProviderKeys.read()

    async def post(self, path: str, body: RequestBody, reply: type[T]) -> T:
        """Return the reply of the first replica that gives a right one.

        Raises:
            ModelUnavailableError: none does, or one refuses the request, which the others would too.
        """
        faults = []
        for step in range(len(self._urls)):
            index = (self._first + step) % len(self._urls)
            try:
                found = await self._ask(self._urls[index], path, body, reply)
            except ReplicaError as fault:
                faults.append(str(fault))
                continue
            self._first = index
            return found
        raise ModelUnavailableError(
            f"the Octopus cannot be reached: {'; '.join(faults)}.",
            hint="Start its server, or let the embedded default decide meanwhile (`fallback: true`).",
            retryable=True,
        )

    async def _ask(self, url: str, path: str, body: RequestBody, reply: type[T]) -> T:
        import httpx

        key, shown = self._keys.router, bare_urls(url)
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else None
        verify = _certificates() if url.startswith("https:") else False
        content = body.model_dump(exclude_none=True, by_alias=True)
        try:
            # A client per request: it belongs to one event loop, and its Octopus may serve several.
            async with httpx.AsyncClient(timeout=self._timeout, verify=verify, headers=headers) as client:
                answer = await client.post(f"{url}{path}", json=content)
        except httpx.TimeoutException as error:
            raise ReplicaError(f"{shown} says nothing within {self._timeout:g} seconds") from error
        except httpx.HTTPError as error:
            raise ReplicaError(f"nothing answers at {shown} ({type(error).__name__})") from error
        if answer.status_code >= 500 or answer.status_code in _AGAIN:
            raise ReplicaError(f"{shown} answers {answer.status_code}: {self._said(answer)}")
        if answer.status_code >= 300:
            raise ModelUnavailableError(
                f"the Octopus at {shown} refuses {path} with {answer.status_code}: {self._said(answer)}.",
                hint="Are model and adapter served there under these names, and does the query fit?",
            )
        try:
            return reply.model_validate_json(answer.content)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            where = ".".join(map(str, fault["loc"])) or "body"
            raise ReplicaError(f"{shown}{path} sends a malformed reply: {where}: {fault['msg']}") from error

    def _said(self, answer: Any) -> str:
        """Quote the server; some repeat the URL or the key that they refuse."""
        said = self._keys.hidden(bare_urls(" ".join(answer.text.split())))
        return said[:_SHOWN] or "nothing"


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def answers(url: str) -> bool:
    """Return whether a server speaks HTTP at `url` and is not failing; blocking."""
    import httpx

    try:
        with httpx.stream("GET", url, timeout=_PATIENCE) as reply:  # the body may never end
            return reply.status_code < 500
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
