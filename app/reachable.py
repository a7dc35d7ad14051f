"""Whether the server of a model answers."""

from __future__ import annotations

from agents.workers.models.reference import ModelReference


def answers(reference: ModelReference) -> bool:
    """Whether something speaks HTTP where the model should be; a local model is not at a URL. Blocking."""
    import httpx

    if not reference.url:
        return True
    try:
        return httpx.get(f"{reference.url}/models", timeout=2).status_code < 500
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
