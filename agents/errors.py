"""Errors of the application. Each derives from its natural builtin, so that servers may show its text."""

from __future__ import annotations


class OctopusGraphError(Exception):
    """Base of all errors that a user can act on.

    Args:
        message: what is wrong; names the offender with its value.
        hint: what to do about it.
        retryable: whether the same call may succeed later.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint
        self.retryable = retryable


class InputError(OctopusGraphError, ValueError):
    """The query or a row of input cannot be used as it is."""


class SpecError(OctopusGraphError, ValueError):
    """A graph spec is wrong."""


class ArtifactError(OctopusGraphError, ValueError):
    """A trained artifact is missing, incomplete or of another graph."""


class RoutingError(OctopusGraphError, RuntimeError):
    """An Octopus produced a token or node that is not an edge away."""


class ModelUnavailableError(OctopusGraphError, RuntimeError):
    """A model or its server cannot be reached, or a package that it needs is not installed."""

    exit_code = 3
