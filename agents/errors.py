"""Define the errors of the application; each derives from its natural builtin, so servers show its text."""

from __future__ import annotations


class OctopusGraphError(Exception):
    """Tell a user what is wrong and what to do; the base of all such errors.

    Args:
        message: what is wrong; it names the offender with its value.
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
    """Signal that the query or a row of input cannot be used as it is."""


class UnsupportedParameterError(InputError):
    """Signal that a model does not take a parameter.

    Args:
        param: its name.
        message: what is wrong.
    """

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


class SpecError(OctopusGraphError, ValueError):
    """Signal that a graph spec is wrong."""


class ArtifactError(OctopusGraphError, ValueError):
    """Signal that a trained artifact is missing, incomplete or of another graph."""


class RoutingError(OctopusGraphError, RuntimeError):
    """Signal that an Octopus chose a token or node that is not an edge of its node."""


class ModelUnavailableError(OctopusGraphError, RuntimeError):
    """Signal that a model or its server cannot be reached, or that a package it needs is not installed."""

    exit_code = 3
