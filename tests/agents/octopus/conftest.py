"""Engines on loopback, for the tests that have a model `tiny` to put behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.engines import SPOKEN, EngineServer, TinyEngine, serving_engine


@pytest.fixture
def serve(tiny: TinyEngine) -> Iterator[Any]:
    """Starts a server of that model by the name of a wire format."""
    with ExitStack() as stack:

        def start(name: str, **settings: Any) -> EngineServer:
            engine = TinyEngine(tiny.tokenizer, tiny.models, lock=tiny.lock)
            for key in ("obeys", "gives_logprobs", "limit"):
                setattr(engine, key, settings.pop(key, getattr(engine, key)))
            return stack.enter_context(serving_engine(EngineServer(engine, SPOKEN[name], **settings)))

        yield start
