"""Define the errors of the tools."""

from __future__ import annotations


class ToolError(ValueError):
    """Report that a function cannot compute what it was asked; the text names the offender and what to do."""


class ToolTimeoutError(ToolError):
    """Report that a call took longer than its limit and was stopped."""
