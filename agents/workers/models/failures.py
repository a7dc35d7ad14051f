"""Say why a model gave no answer: one typed reason, whatever its client raised or its server sent."""

from __future__ import annotations

import json
import logging
import math
import re
import socket
import ssl
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from agents.errors import ModelUnavailableError, OctopusGraphError
from agents.generation import Generation
from agents.redaction import redact
from agents.settings import ProviderKeys
from agents.types import Failure, FailureCode, failure
from agents.workers.models.reply import Reply

_log = logging.getLogger("octopus.models")
_LOGGED = 600  # characters of a server's words
_LATE = 86_400.0  # seconds; who says more does not mean it
_CODES: Mapping[int, FailureCode] = {
    401: "unauthorized",
    402: "unauthorized",
    403: "unauthorized",
    404: "not_found",
    405: "not_found",
    408: "timeout",
    413: "context_length_exceeded",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
_CONNECTIONS = frozenset(
    {"APIConnectionError", "ConnectError", "ReadError", "WriteError", "RemoteProtocolError"}
)
_AGAIN = frozenset({409, 425, 429})
_SAID: Mapping[FailureCode, re.Pattern[str]] = {
    "context_length_exceeded": re.compile(
        r"context[_ ](length|window|size)|maximum context|prompt is too long|too many (input )?tokens"
    ),
    "filtered": re.compile(r"content[_ ](filter|policy)|safety system"),
    "unsupported_parameter": re.compile(
        r"(unsupported|unknown|unrecogni[sz]ed|invalid)[_ ](parameter|request argument|field|value|keyword)"
        r"|extra_forbidden|extra inputs are not permitted|is not supported"
    ),
    "unauthorized": re.compile(r"invalid_api_key|authentication"),
    "rate_limited": re.compile(r"rate[_ ]limit|too many requests|insufficient_quota"),
    "overloaded": re.compile(r"overloaded|loading|unavailable|try again later"),
}  # in the order in which they are looked for
_NAMED = re.compile(r"(?<=['\"`\[])[a-z_]+(?=['\"`\]])|\b[a-z_]+(?= is not supported)")
_PARAMETERS = frozenset({*Generation.model_fields, "max_completion_tokens", "stream_options"})
_WHY: Mapping[FailureCode, str] = {
    "unreachable": "cannot be reached: nothing answers there",
    "cut_off": "broke off in the middle of its answer",
    "too_large": "sent more than is read",
    "timeout": "did not answer in time",
    "rate_limited": "takes no more requests now",
    "overloaded": "is overloaded, or still loading",
    "unauthorized": "refuses the key that it was given",
    "not_found": "is not there",
    "server_error": "failed",
    "broken_reply": "sent something else than an answer",
    "context_length_exceeded": "cannot take so much text",
    "unsupported_parameter": "does not take a parameter of the request",
    "filtered": "withholds the answer: a filter of its server",
    "refused": "refuses to answer this",
    "empty_reply": "sent no answer",
}
_HINTS: Mapping[FailureCode, str] = {
    "unreachable": "Is it running? `octopus doctor` shows which servers answer here.",
    "timeout": "Ask again, or connect a faster one.",
    "rate_limited": "Ask again later.",
    "overloaded": "Ask again in a moment.",
    "unauthorized": "Set the key of its server.",
    "not_found": "Is that the name of the model, and does the URL of its server end in /v1?",
    "server_error": "-v, or the log, says why.",
    "broken_reply": "Is that the URL of a server with OpenAI's protocol?",
    "cut_off": "Ask again.",
    "too_large": "Ask for less.",
    "empty_reply": "Ask again, or in other words.",
    "filtered": "Ask in other words.",
    "refused": "Ask in other words, or another model.",
    "context_length_exceeded": "Shorten it, or connect a model with a larger window.",
    "unsupported_parameter": "Leave it out.",
}


@dataclass(frozen=True)
class Fault:
    """Hold why there is no answer.

    Attributes:
        failure: for programs.
        why: what happened, for people: the words after "its model"; nothing that the server said.
        hint: what to do about it.
        detail: what the server said, for the log.
        again: whether the same request may succeed.
    """

    failure: Failure
    why: str
    hint: str
    detail: str = ""
    again: bool = False

    @property
    def wait(self) -> float | None:
        """Return the seconds that the server wants to be left alone; None where it did not say."""
        return self.failure["retry_after"]

    def log(self, key: str, model: object) -> None:
        """Write the details to the log, under the key of the request."""
        detail = redact(ProviderKeys.read().hidden(self.detail))[:_LOGGED]
        _log.warning("%s: %s: %s: %r", key or "-", model, self.failure["code"], detail)


class ModelFaultError(OctopusGraphError, RuntimeError):
    """Signal that a model gave no answer.

    Args:
        fault: why.
    """

    exit_code = 3

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"the model {fault.why}.", hint=fault.hint, retryable=fault.again)
        self.fault = fault


def fault(
    code: FailureCode,
    why: str = "",
    *,
    hint: str = "",
    detail: str = "",
    again: bool = False,
    param: str = "",
    retry_after: float | None = None,
) -> Fault:
    """Return a fault, in the usual words where none are given."""
    if retry_after is not None and not hint:
        hint = f"Ask again in {max(1, math.ceil(retry_after)):,} seconds."
    reason = failure(code, param=param, retry_after=retry_after)
    return Fault(reason, why or _WHY[code], hint or _HINTS.get(code, ""), detail, again)


def fault_of(error: BaseException) -> Fault:
    """Say why there is no answer, by what a client of a model raised."""
    if found := known_fault(error):
        return found
    detail = _told(list(_causes(error)), error)
    if isinstance(error, MemoryError) or "out of memory" in str(error):
        return fault("server_error", "ran out of memory", hint="Connect a smaller one.", detail=detail)
    failed = isinstance(error, RuntimeError | OSError)
    return fault("server_error" if failed else "broken_reply", detail=detail)


def known_fault(error: BaseException) -> Fault | None:
    """Say what a client of a server means by what it raised, all of them being alike; None for a riddle."""
    chain = list(_causes(error))
    if found := next((one.fault for one in chain if isinstance(one, ModelFaultError)), None):
        return found
    if isinstance(error, OctopusGraphError):  # a package, a key, memory
        code: FailureCode = "no_model" if isinstance(error, ModelUnavailableError) else "server_error"
        return fault(code, f"cannot be used: {error.message.rstrip('.')}", hint=error.hint)
    if (answered := next((one for one in chain if _status(one)), None)) is not None:
        return _of_status(_status(answered), _said(answered), _headers(answered))
    detail = _told(chain)
    if found := _of_connection(chain, detail):
        return found
    if (body := getattr(error, "body", None)) is not None:  # an error in the middle of a stream
        return fault_told(body)
    return None


def fault_told(body: Any) -> Fault:
    """Say what an error means that a server tells without a status."""
    told = json.dumps(body, default=str)
    return _of_words(told.lower(), "server_error", told)


def fault_in(reply: Reply, *, calls: bool) -> Fault | None:
    """Say why a reply is no answer; None where it is one.

    Args:
        reply: the whole reply.
        calls: whether it calls tools that it was given.
    """
    if reply.refusal:
        return fault("refused", detail=reply.refusal)
    if reply.text.strip() or calls:
        return None
    if reply.broken:
        return fault("invalid_output", "called a tool with arguments that are not JSON", hint="Ask again.")
    if reply.finish == "content_filter":
        return fault("filtered")
    if reply.calls:
        return fault("broken_reply", "called a tool that it was not given", hint="Ask in other words.")
    if reply.finish == "length":
        return fault("empty_reply", "spent all its tokens before it answered", hint="Allow more tokens.")
    return fault("empty_reply")


def _of_status(status: int, said: str, headers: Mapping[str, str]) -> Fault:
    """Say what a status of HTTP means; `said` is the body."""
    words, detail, wait = said.lower(), f"{status} {said}", seconds_in(headers)
    code = _CODES.get(status, "server_error")
    if status in (400, 422):
        return _of_words(words, code, detail)
    if status == 404 and "model" in words:
        return fault(
            code, "is not known to its server", hint="`octopus doctor` shows which are.", detail=detail
        )
    if status == 402:
        return fault(code, "is not paid for", detail=detail, hint="See the account at its provider.")
    if status == 429 and "insufficient_quota" in words:
        return fault(code, "has used up its quota", detail=detail, hint="See the account at its provider.")
    again = status in _AGAIN or (status >= 500 and status != 504)
    retry_after = wait if code in ("rate_limited", "overloaded") else None
    return fault(code, detail=detail, again=again, retry_after=retry_after)


def _of_words(words: str, otherwise: FailureCode, detail: str) -> Fault:
    """Say what an error means by its words, where its status does not tell."""
    code = next((code for code, pattern in _SAID.items() if pattern.search(words)), otherwise)
    if code != "unsupported_parameter":
        return fault(code, detail=detail)
    # What clients are told is a word of ours.
    param = next((name for name in _NAMED.findall(words) if name in _PARAMETERS), "")
    why = f"does not take {param!r}" if param else ""
    return fault(code, why, hint="Leave it out.", detail=detail, param=param)


def _of_connection(chain: list[BaseException], detail: str) -> Fault | None:
    """Say what went wrong below HTTP; None where nothing did."""
    names = {type(one).__name__ for one in chain}
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
        hint = "SSL_CERT_FILE names a file of certificates to trust."
        return fault(
            "unreachable", "is on a server whose certificate is not trusted", hint=hint, detail=detail
        )
    if any(isinstance(one, ssl.SSLError) for one in chain):
        hint = "Does its URL begin with http:// rather than https://?"
        return fault("unreachable", "has a server that speaks no TLS", hint=hint, detail=detail)
    if any(isinstance(one, socket.gaierror) for one in chain):
        return fault(
            "unreachable", "has a server whose name is not known", detail=detail, hint="Check its URL."
        )
    if "TooManyRedirects" in names:
        return fault("not_found", "is sent from one URL to the next without end", detail=detail)
    if "ConnectTimeout" in names:
        return fault("unreachable", detail=detail, again=True)
    if any(isinstance(one, TimeoutError) or type(one).__name__.endswith("Timeout") for one in chain):
        return fault("timeout", detail=detail)
    if "RemoteProtocolError" in names and not any("disconnected" in str(one) for one in chain):
        return fault("broken_reply", detail=detail)
    if names & _CONNECTIONS or any(isinstance(one, ConnectionError) for one in chain):
        return fault("unreachable", detail=detail, again=True)
    return None


def seconds_in(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`, which may be a date; None where it says nothing."""
    told = headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(told).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), _LATE) if math.isfinite(seconds) else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and what it came from; of a group, its first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        first = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None
        error = first or error.__cause__ or error.__context__


def _told(chain: Sequence[BaseException], bug: BaseException | None = None) -> str:
    """Describe an error and what it came from; of a bug also where, without texts that quote somebody."""
    frames = traceback.format_tb(bug.__traceback__) if bug else []
    ends = [f"{type(one).__name__}: {one}" for one in (chain[0], chain[-1])]
    return " from ".join(dict.fromkeys(ends)) + "".join(f"\n{frame}" for frame in frames[-3:])


def _status(error: BaseException) -> int:
    found = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", 0)
    return found if isinstance(found, int) and found >= 300 else 0


def _headers(error: BaseException) -> Mapping[str, str]:
    return getattr(getattr(error, "response", None), "headers", None) or {}


def _said(error: BaseException) -> str:
    body: Any = getattr(error, "body", None)
    return json.dumps(body, default=str) if isinstance(body, dict | list) else str(body or error)
