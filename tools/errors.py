"""The error of the tools. This package imports nothing of ours above it."""

from __future__ import annotations


class ToolError(ValueError):
    """A function cannot compute what it was asked; the text names the offender and says what to do."""


class ToolTimeoutError(ToolError):
    """A call took longer than its limit and was stopped."""
