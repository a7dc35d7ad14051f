"""Write errors as OpenAI's API does: `{"error": {message, type, param, code}}`."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from limits.errors import StorageError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from agents.errors import ArtifactError, InputError, ModelUnavailableError, SpecError
from agents.types import Failure, FailureCode
from app.persistence.errors import PersistenceError
from app.runs.run import RefusedError
from app.runs.runner import StoppedError

_log = logging.getLogger("octopus.server")
_LONGEST_PARAM = 200
UNSUPPORTED = "unsupported_parameter"
REQUEST: ContextVar[str] = ContextVar("request", default="-")
"""The id of the request that is being answered, for the log; the response's `x-request-id`."""


class ApiError(Exception):
    """Tell a client what is wrong.

    Args:
        status: the status of the HTTP response.
        message: one sentence, with nothing in it that the client must not see.
        code: for programs.
        param: the field at fault.
        retry_after: seconds.
        octopus: how far the question went through the graph; an extension.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        octopus: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.octopus = octopus
        self.headers = {} if retry_after is None else {"Retry-After": str(math.ceil(retry_after))}
        if status == HTTPStatus.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = "Bearer"

    @property
    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        told = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": told if self.octopus is None else told | {"octopus": self.octopus}}

    @property
    def response(self) -> JSONResponse:
        """Return the HTTP response."""
        return JSONResponse(self.body, self.status, self.headers)


_WAIT = 4  # seconds: twice that is longer than a killed server has a thread
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_REFUSED = {  # status, field at fault, and what to do
    "thread_busy": (409, None, " Come back, or let `wait` in the field `octopus` wait for it."),
    "thread_needed": (400, "octopus", " Name its thread in X-Octopus-Thread."),
    "nothing_asked": (400, "octopus.resume", ""),
}


_FAILURES: Mapping[FailureCode, tuple[int, str]] = {  # the status, what happened, and what to do
    "no_model": (
        503,
        "No model is connected that could answer this. OCTOPUS_MODEL=openai:NAME@URL connects one.",
    ),
    "unreachable": (502, "The model that should answer cannot be reached. Try again later."),
    "timeout": (504, "The model did not answer in time. Try again, or ask for less."),
    "rate_limited": (429, "The model takes no more requests now. Wait, and try again."),
    "overloaded": (503, "The model has too much to do now. Wait, and try again."),
    "unauthorized": (502, "The model refused the key of this server. Its log says more to who runs it."),
    "not_found": (502, "The model that should answer is not where it should be. The server's log says more."),
    "server_error": (502, "The model's server failed. Try again."),
    "broken_reply": (
        502,
        "The model's server sent what cannot be read. Try again; the log says more.",
    ),
    "cut_off": (502, "The model's answer broke off. Try again."),
    "too_large": (502, "The model's answer was larger than this server takes. Ask for less."),
    "empty_reply": (502, "The model's answer was empty. Try again, or say it in other words."),
    "invalid_output": (
        502,
        "The model's answer had not the form that was asked for, or called no tool. Can its server do that?",
    ),
    "filtered": (422, "The model's server filtered the answer. Say it in other words."),
    "refused": (422, "The model refused to answer. Say it in other words."),
    "context_length_exceeded": (400, "The question does not fit into the model's context. Shorten it."),
    "unsupported_parameter": (400, "The model that should answer does not take a parameter. Leave it out."),
    "declined": (
        422,
        "The worker does not take this question. Say it in other words, or choose one.",
    ),
    "abstained": (
        422,
        "No worker takes this question. Say it in other words, or choose one.",
    ),
    "not_approved": (422, "The step was not approved. Ask again, or something else."),
    "budget_exhausted": (422, "The budget of the turn was used up first. Allow more in the field octopus."),
}


_LASTING = frozenset({"no_model", "unauthorized", "not_found"})


def unanswered(failure: Failure, octopus: Mapping[str, Any] | None = None) -> ApiError:
    """Return the error of a turn without an answer; only its code says why, for the rest may be internal."""
    status, message = _FAILURES[failure["code"]]
    param = failure["param"][:_LONGEST_PARAM] or None
    if failure["code"] == UNSUPPORTED and param:
        message = unsupported(param, "the model that should answer does not take it").message
    after = failure["retry_after"]
    error = ApiError(status, message, code=failure["code"], param=param, retry_after=after, octopus=octopus)
    if failure["code"] in _LASTING:
        error.headers["x-should-retry"] = "false"  # the official clients would
    return error


def not_found() -> ApiError:
    """Return one error for a missing thread and for somebody else's."""
    return ApiError(404, "There is no such thread.", code="not_found")


def unknown(param: str) -> ApiError:
    """Return the error of a field that there is not."""
    param = param[:_LONGEST_PARAM]
    return ApiError(400, f"Unknown parameter: {param!r}.", code="unknown_parameter", param=param)


def unsupported(param: str, why: str) -> ApiError:
    """Return the error of a parameter that cannot be taken, or not with its value."""
    return ApiError(400, f"Unsupported parameter: {param!r}: {why}.", code=UNSUPPORTED, param=param)


def invalid(error: ValidationError) -> ApiError:
    """Return the first fault that Pydantic found; its value is left out: it may be long, or private."""
    return _invalid(error.errors(include_url=False))


def _invalid(faults: Sequence[Mapping[str, Any]], skip: int = 0) -> ApiError:
    # A tool of another type lacks a name too; what is not taken is the better reason.
    fault = next((one for one in faults if one["type"] == UNSUPPORTED), faults[0])
    place = fault["loc"][skip:]
    if fault["type"] == "json_invalid":
        position = f" at character {place[0]}" if place else ""
        return ApiError(400, f"The body is not JSON ({fault['ctx']['error']}{position}).", code="invalid")
    if not place and isinstance(fault.get("input"), bytes):  # not read, for it was not said to be JSON
        return ApiError(400, "Send the body as JSON, with Content-Type: application/json.", code="invalid")
    if not place and fault["type"] in ("model_attributes_type", "model_type"):
        return ApiError(400, "The body must be a JSON object.", code="invalid")
    place = [*place, *[value for key, value in (fault.get("ctx") or {}).items() if key == "param"]]
    param = ".".join(map(str, place))[:_LONGEST_PARAM] or None
    if param and fault["type"] == "extra_forbidden":
        return unknown(param)
    if param and fault["type"] == UNSUPPORTED:
        return unsupported(param, fault["msg"])
    return ApiError(400, f"{param or 'The body'}: {fault['msg']}.", code="invalid", param=param)


def as_api_error(error: Exception) -> ApiError:
    """Return what a client may know of `error`; log the rest, without the conversation."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, RefusedError):
        status, param, hint = _REFUSED[error.code]
        said = f"{error.message[:1].upper()}{error.message[1:]}{hint}"
        after = _WAIT if error.retryable else None
        return ApiError(status, said, code=error.code, param=param, retry_after=after)
    if isinstance(error, StoppedError):
        status, after = (503, 5) if error.code == "shutting_down" else (499, None)
        said = f"{error.message[:1].upper()}{error.message[1:]}"
        return ApiError(status, said, code=error.code, retry_after=after)
    if isinstance(error, InputError):
        return ApiError(400, str(error), code="invalid_input")
    if isinstance(error, TimeoutError):
        return ApiError(504, "The answer took longer than this server allows.", code="timeout")
    name = f"request {REQUEST.get()}: {type(error).__name__}"
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
        faults = error.errors()
        if not isinstance(faults[0], dict):  # LangServe's own have no place
            return ApiError(400, f"{faults[0]}.", code="invalid").response
        return _invalid(faults, skip=1).response  # the first part of a place says body, path or query

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return ApiError(error.status_code, str(error.detail)).response
