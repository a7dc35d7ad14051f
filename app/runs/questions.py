"""What a run asks of a person, in words: the same on the terminal and over HTTP."""

from __future__ import annotations

from typing import Any

_CHOICES = 5


def worded(asked: dict[str, Any]) -> tuple[str, str]:
    """The question of an interrupt, and which answers it takes.

    Args:
        asked: the interrupt's JSON value, of kind `approve` or `ask`.
    """
    lines = [asked["error"]] if "error" in asked else []
    if asked["kind"] == "approve":
        lines += [
            f"{step['master']} → {step['token']} {step['node']}: {step['query']}" for step in asked["steps"]
        ]
        return "\n".join(lines), "Go on? [y/n/another node]"
    ranked = ", ".join(f"{c['node']} ({c['probability']:.2f})" for c in asked["choices"][:_CHOICES])
    lines += [asked["reason"], f"Choices: {ranked}"]
    return "\n".join(lines), "A node, or more words:"
