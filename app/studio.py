"""Graphs as the LangGraph server takes them: factories, without a checkpointer, which the server brings."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from app.settings import Settings
from app.wiring import Wiring, find_spec


async def mmlu() -> CompiledStateGraph[Any, Any, Any, Any]:
    """The shipped graph, built once for all runs."""
    return await asyncio.to_thread(_compiled, "mmlu")


@cache
def _compiled(name: str) -> CompiledStateGraph[Any, Any, Any, Any]:
    # The server calls its factory again and again; the encoder and the tools' process are opened once.
    return Wiring(find_spec(name), Settings.read()).graph().compile(name=name)
