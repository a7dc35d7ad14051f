"""Whether the server of a model answers."""

from __future__ import annotations

import urllib.error
import urllib.request

from agents.workers.reference import ModelReference


def answers(reference: ModelReference) -> bool:
    """Whether something speaks HTTP where the model should be; a local model is not at a URL. Blocking."""
    if not reference.url:
        return True
    try:
        with urllib.request.urlopen(f"{reference.url}/models", timeout=2):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False
