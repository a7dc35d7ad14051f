"""Answer with a whole graph of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from agents.modalities import human
from agents.types import WorkerAnswer, WorkerRequest
from graphs.branches import outcomes
from graphs.state import GraphContext


@dataclass
class SubgraphWorker:
    """Run a compiled graph inside its node, so that its hops are checkpoints of the same thread.

    Attributes:
        graph: compiled without a checkpointer; it takes the one of the graph around it.
        context: run-time settings inside; None takes the defaults.
    """

    graph: CompiledStateGraph[Any, Any, Any, Any]
    context: GraphContext | None = None

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer with its hops as evidence; the status is `answered` if every part of the query was."""
        messages = [*request.conversation, human(request.query, request.attachments)]
        values = await self.graph.ainvoke({"messages": messages}, context=self.context)
        found = outcomes(values["hops"])
        status = next((hop["status"] for hop in found if hop["status"] != "answered"), "answered")
        tokens = sum(hop["tokens"] for hop in values["hops"])
        evidence = {"hops": values["hops"], "usage": {"total_tokens": tokens}}
        return WorkerAnswer(status, str(values["messages"][-1].text), evidence)  # type: ignore[arg-type]
