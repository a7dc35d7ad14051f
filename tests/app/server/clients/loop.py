"""Runs a client's examples in its own environment: names come as lines, results go as lines of JSON.

Environment: `BASE_URL` (…/v1), `API_KEY`.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

MODEL = "house"
BREAD = "How do I bake bread?"
MORE = "And without yeast?"
SYSTEM = "Answer like a baker."
BASE_URL = os.environ.get("BASE_URL", "")
API_KEY = os.environ.get("API_KEY", "")
SHOPPING = "What does bread cost, and how is the weather in Rome?"


def price(of: str) -> str:
    """Get the price of something, in euros."""
    return {"bread": "5", "rice": "3"}[of]


def weather(place: str) -> str:
    """Get the weather of a place."""
    return {"Rome": "sunny"}[place]


FUNCTIONS: dict[str, Callable[..., str]] = {"price": price, "weather": weather}
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": function.__doc__,
            "parameters": {
                "type": "object",
                "properties": {argument: {"type": "string"}},
                "required": [argument],
                "additionalProperties": False,
            },
        },
    }
    for (name, function), argument in zip(FUNCTIONS.items(), ("of", "place"), strict=True)
]


def called(name: str, arguments: str) -> str:
    """What a function of this client gives."""
    return FUNCTIONS[name](**json.loads(arguments))


def refused(error: Exception) -> dict[str, Any]:
    """What is known of an error of a client that is built on openai's."""
    body: Any = getattr(error, "body", None) or {}
    return {
        "status": getattr(error, "status_code", None),
        "code": body.get("code"),
        "param": body.get("param"),
    }


def serve(examples: Mapping[str, Callable[[], Any]]) -> None:
    """Say which examples there are, then run those that are asked for."""
    out, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no result
    print(json.dumps(list(examples)), file=out, flush=True)
    for line in sys.stdin:
        try:
            told = {"result": examples[line.strip()]()}
        except Exception:
            told = {"failed": traceback.format_exc()}
        print(json.dumps(told), file=out, flush=True)
