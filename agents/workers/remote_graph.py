"""Answer with a graph on a LangGraph server: another Octopus Graph, or any graph that has messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

from langchain_core.messages import convert_to_messages, convert_to_openai_messages

from agents.modalities import human
from agents.settings import ProviderKeys
from agents.types import AnswerStatus, FailureCode, Worker, WorkerAnswer, WorkerRequest, failure
from agents.workers.models.failures import Fault, ModelFaultError, fault, fault_of
from agents.workers.models.reference import NAME_AT_URL, Connection, ModelReference

if TYPE_CHECKING:
    import httpx

_HINT = "Is it running, and is that its id?"
_MOST_BYTES = 32_000_000


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
            return self.read(values)
        except RemoteException as error:
            found = fault("server_error", "failed in its run", detail=str(error))
        except GraphBubbleUp:
            found = fault("declined", "asks a question back, which only a thread of its own could answer")
        except (
            TimeoutError,
            httpx.HTTPError,
            LangGraphError,
            ModelFaultError,
            ValueError,
            KeyError,
            TypeError,
            LookupError,
        ) as error:
            found = fault_of(error)
        return self._unavailable(found, request)

    def _unavailable(self, why: Fault, request: WorkerRequest) -> WorkerAnswer:
        why.log(request.idempotency_key, self.reference)
        reason = why.failure["code"]
        hint = why.hint if reason in ("rate_limited", "overloaded", "unauthorized") else _HINT
        text = f"{self.node} was chosen, but the remote graph {self.reference.name!r} {why.why}. {hint}"
        return WorkerAnswer("unavailable", text, {"remote_graph": self.reference.name}, failure=why.failure)

    def _client(self) -> httpx.AsyncClient:
        import httpx

        key = ProviderKeys.read().langgraph
        return httpx.AsyncClient(
            base_url=self.reference.url,
            headers={"Accept-Encoding": "identity"} | ({"x-api-key": key.get_secret_value()} if key else {}),
            timeout=httpx.Timeout(self.timeout, connect=5.0),
            transport=httpx.AsyncHTTPTransport(retries=1),
            event_hooks={"response": [bounded]},
        )

    def read(self, values: Any) -> WorkerAnswer:
        """Read the answer from the final state; keep hops of an Octopus Graph, with their tokens.

        Raises:
            ValueError: no message of the state is an answer.
        """
        messages = convert_to_messages(values["messages"]) if isinstance(values, dict) else []
        if not messages or messages[-1].type != "ai":
            raise ValueError(f"no answer among the messages of {values!r}"[:200])
        text = str(messages[-1].text)
        evidence: dict[str, Any] = {"remote_graph": self.reference.name}
        hops: list[Any] = values.get("hops") or []
        if hops:
            usage = {"total_tokens": sum(hop.get("tokens", 0) for hop in hops)}
            evidence |= {"hops": hops, "usage": usage}
        if hops and all(hop["status"] != "answered" for hop in hops):
            status: AnswerStatus = "declined" if hops[-1]["status"] == "declined" else "unavailable"
            code = (hops[-1].get("failure") or {}).get("code")
            known = failure(cast("FailureCode", code)) if code in get_args(FailureCode) else None
            return WorkerAnswer(status, text, evidence, failure=known)
        if not text.strip():
            raise ModelFaultError(fault("empty_reply"))
        return WorkerAnswer("answered", text, evidence)


async def bounded(response: httpx.Response) -> None:
    """Bound what is read of a response; for the hooks of a client that asked for `identity`."""
    import httpx

    class Bounded(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = _MOST_BYTES
            async for part in source:
                left -= len(part)
                if left < 0:
                    raise ModelFaultError(fault("too_large"))
                yield part

        async def aclose(self) -> None:
            await source.aclose()

    source = cast("httpx.AsyncByteStream", response.stream)
    response.stream = Bounded()
    if response.headers.get("content-encoding", "identity") != "identity":  # a bomb, perhaps
        raise ModelFaultError(fault("broken_reply", detail="compressed, though not asked to"))
