"""Write errors as OpenAI's API does: `{"error": {message, type, param, code}}`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from limits.errors import StorageError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from agents.errors import ArtifactError, InputError, ModelUnavailableError, SpecError
from app.persistence.errors import PersistenceError
from app.runs.run import RefusedError
from app.runs.runner import StoppedError

_log = logging.getLogger("octopus.server")


class ApiError(Exception):
    """Tell a client what is wrong.

    Args:
        status: the status of the HTTP response.
        message: one sentence, with nothing in it that the client must not see.
        code: for programs.
        param: the field at fault.
        retry_after: seconds.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == HTTPStatus.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = "Bearer"

    @property
    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {
            "error": {"message": self.message, "type": kind, "param": self.param, "code": self.code},
        }

    @property
    def response(self) -> JSONResponse:
        """Return the HTTP response."""
        return JSONResponse(self.body, self.status, self.headers)


_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_REFUSED = {  # status, field at fault, and what to do
    "thread_busy": (409, None, ""),
    "thread_needed": (400, "octopus", " Name its thread in X-Octopus-Thread."),
    "nothing_asked": (400, "octopus.resume", ""),
}


def not_found() -> ApiError:
    """Return one error for a missing thread and for somebody else's."""
    return ApiError(404, "There is no such thread.", code="not_found")


def invalid(error: ValidationError) -> ApiError:
    """Return the first fault that Pydantic found; its value is left out: it may be long, or private."""
    fault = error.errors(include_url=False)[0]
    return _invalid(fault, fault["loc"])


def _invalid(fault: Mapping[str, Any], place: Sequence[str | int]) -> ApiError:
    if fault["type"] == "json_invalid":
        position = f" at character {place[0]}" if place else ""
        return ApiError(400, f"The body is not JSON ({fault['ctx']['error']}{position}).", code="invalid")
    if not place and isinstance(fault.get("input"), bytes):  # not read, for it was not said to be JSON
        return ApiError(400, "Send the body as JSON, with Content-Type: application/json.", code="invalid")
    if not place and fault["type"] in ("model_attributes_type", "model_type"):
        return ApiError(400, "The body must be a JSON object.", code="invalid")
    param = ".".join(map(str, place)) or None
    return ApiError(400, f"{param or 'The body'}: {fault['msg']}.", code="invalid", param=param)


def as_api_error(error: Exception) -> ApiError:
    """Return what a client may know of `error`; log the rest, without the conversation."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, RefusedError):
        status, param, hint = _REFUSED[error.code]
        said = f"{error.message[:1].upper()}{error.message[1:]}{hint}"
        return ApiError(status, said, code=error.code, param=param)
    if isinstance(error, StoppedError):
        status, after = (503, 5) if error.code == "shutting_down" else (499, None)
        said = f"{error.message[:1].upper()}{error.message[1:]}"
        return ApiError(status, said, code=error.code, retry_after=after)
    if isinstance(error, InputError):
        return ApiError(400, str(error), code="invalid_input")
    if isinstance(error, TimeoutError):
        return ApiError(504, "The answer took longer than this server allows.", code="timeout")
    name = type(error).__name__
    if isinstance(error, PersistenceError | StorageError):
        _log.error("Threads cannot be read or kept: %s", name)
        return ApiError(503, "Threads cannot be reached now.", code="threads_unavailable", retry_after=5)
    if isinstance(error, ModelUnavailableError | SpecError | ArtifactError):
        _log.error("A graph cannot be used: %s", name)
        return ApiError(503, "This graph cannot be used now.", code="model_unavailable", retry_after=30)
    # The frames only: the text of an unforeseen error may quote the conversation.
    _log.error("A bug: %s\n%s", name, "".join(traceback.format_tb(error.__traceback__)))
    return ApiError(500, "The server made a mistake; it is in its log.", code="internal_error")


def install(app: FastAPI) -> None:
    """Answer every error of `app` in this form."""

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> JSONResponse:
        return error.response

    @app.exception_handler(RequestValidationError)
    async def unprocessable(request: Request, error: RequestValidationError) -> JSONResponse:
        fault = error.errors()[0]
        if not isinstance(fault, dict):  # LangServe's own have no place
            return ApiError(400, f"{fault}.", code="invalid").response
        return _invalid(fault, fault["loc"][1:]).response  # the first part says body, path or query

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return ApiError(error.status_code, str(error.detail)).response
