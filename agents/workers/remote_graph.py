"""Answer with a graph on a LangGraph server: another Octopus Graph, or any graph that has messages."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import convert_to_messages, convert_to_openai_messages

from agents.modalities import human
from agents.settings import ProviderKeys
from agents.types import AnswerStatus, Worker, WorkerAnswer, WorkerRequest
from agents.workers.models.reference import NAME_AT_URL, Connection, ModelReference

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class RemoteGraphReference(ModelReference):
    """Name a graph or assistant on a LangGraph server."""

    kind = "remote-graph"
    form = "remote-graph:ID@URL"
    pattern = NAME_AT_URL
    health = "/ok"

    def connect(self, given: Connection) -> Worker:
        """Build the worker."""
        return RemoteGraphWorker(given.name, self)


@dataclass
class RemoteGraphWorker:
    """Ask a remote graph, in a run without a thread: the conversation is kept here.

    Attributes:
        node: the worker's name, for messages.
        reference: id of the graph or assistant, and the server's URL.
        timeout: seconds for a run.
    """

    node: str
    reference: RemoteGraphReference
    timeout: float = 120.0

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer with the last message of the remote run; `unavailable` when the server fails."""
        import httpx
        from langgraph.errors import GraphBubbleUp
        from langgraph.pregel.remote import RemoteException, RemoteGraph
        from langgraph_sdk.client import LangGraphClient
        from langgraph_sdk.errors import LangGraphError

        asked = human(request.query, request.attachments)
        given = {"messages": convert_to_openai_messages([*request.conversation, asked])}
        headers = {"Idempotency-Key": request.idempotency_key}
        try:
            client = await asyncio.to_thread(self._client)  # reads certificates from disk
            async with client, asyncio.timeout(self.timeout):
                graph = RemoteGraph(self.reference.name, client=LangGraphClient(client))
                values = await graph.ainvoke(given, headers=headers)
            return self._read(values)
        except TimeoutError:
            why = f"nothing within {self.timeout:g} seconds"
        except (httpx.TransportError, LangGraphError) as error:
            why = f"{error} ({type(error).__name__})"
        except RemoteException as error:
            why = f"its run failed: {error}"
        except GraphBubbleUp:
            why = "it asks a question back, which only a thread of its own could answer"
        except (httpx.HTTPError, ValueError, KeyError, TypeError, LookupError) as error:
            why = f"its reply is not that of a LangGraph server: {error!r}"
        return WorkerAnswer(
            "unavailable",
            f"{self.node} was chosen, but the remote graph {self.reference} gave no answer: "
            f"{why.rstrip('.')}. Is it running, and is that its id?",
            {"remote_graph": self.reference.name},
        )

    def _client(self) -> httpx.AsyncClient:
        import httpx

        key = ProviderKeys.read().langgraph
        return httpx.AsyncClient(
            base_url=self.reference.url,
            headers={"x-api-key": key.get_secret_value()} if key else None,
            timeout=httpx.Timeout(self.timeout, connect=5.0),
            transport=httpx.AsyncHTTPTransport(retries=1),
        )

    def _read(self, values: Any) -> WorkerAnswer:
        """Read the answer from the final state; keep hops of an Octopus Graph, with their tokens.

        Raises:
            ValueError: no message of the state is an answer.
        """
        messages = convert_to_messages(values["messages"]) if isinstance(values, dict) else []
        if not messages or messages[-1].type != "ai":
            raise ValueError(f"no answer among the messages of {values!r}"[:200])
        evidence: dict[str, Any] = {"remote_graph": self.reference.name}
        hops = values.get("hops") or []
        statuses = [hop["status"] for hop in hops]
        status: AnswerStatus = "answered" if "answered" in statuses or not statuses else statuses[-1]
        if hops:
            evidence |= {"hops": hops, "usage": {"total_tokens": sum(hop.get("tokens", 0) for hop in hops)}}
        return WorkerAnswer(status, str(messages[-1].text), evidence)
