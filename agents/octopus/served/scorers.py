"""The scorer of a reference: which engine speaks, and whether its model has functional tokens."""

from __future__ import annotations

from agents.octopus.causal.call_format import CallFormat
from agents.octopus.served.functional_scorer import FunctionalScorer
from agents.octopus.served.label_scorer import LabelScorer
from agents.octopus.served.octopus import Scorer
from agents.octopus.served.reference import RouterReference
from agents.octopus.served.wire.http import Replicas
from agents.octopus.served.wire.token_ids import TokenIds
from agents.octopus.served.wire.types import ChatEngine, TokenEngine


def scorer(
    reference: RouterReference, call_format: CallFormat | None = None, timeout: float = 30.0
) -> Scorer:
    """What scores candidates on the server of `reference`; nothing is sent yet.

    Args:
        reference: engine, model, adapter and replicas.
        call_format: of a model with functional tokens; None takes the default.
        timeout: seconds for one request.
    """
    if reference.engine in ("vllm", "sglang", "lorax"):
        return FunctionalScorer(_token_engine(reference, timeout), call_format or CallFormat())
    return LabelScorer(_chat_engine(reference, timeout))


def _token_engine(reference: RouterReference, timeout: float) -> TokenEngine:
    from agents.octopus.served.wire.lorax import LoraxEngine
    from agents.octopus.served.wire.sglang import SglangEngine
    from agents.octopus.served.wire.vllm import VllmEngine

    replicas = Replicas([url.removesuffix("/v1") for url in reference.urls], timeout)
    ids = TokenIds(replicas, reference.model)
    if reference.engine == "vllm":
        return VllmEngine(replicas, ids, reference.adapter)
    if reference.engine == "sglang":
        return SglangEngine(replicas, ids, reference.adapter)
    return LoraxEngine(replicas, reference.adapter)


def _chat_engine(reference: RouterReference, timeout: float) -> ChatEngine:
    from agents.octopus.served.wire.llama_cpp import LlamaCppEngine
    from agents.octopus.served.wire.ollama import OllamaEngine
    from agents.octopus.served.wire.openai_chat import OpenAIChatEngine

    if reference.engine == "openai":
        return OpenAIChatEngine(Replicas(reference.urls, timeout), reference.model)
    replicas = Replicas([url.removesuffix("/v1") for url in reference.urls], timeout)
    if reference.engine == "ollama":
        return OllamaEngine(replicas, reference.model)
    return LlamaCppEngine(replicas)
