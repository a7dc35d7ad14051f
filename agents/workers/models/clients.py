"""Chat models for references, as LangChain knows them; made when they are first needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agents.errors import ModelUnavailableError, SpecError
from agents.workers.models.reference import ModelReference

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agents.workers.models.local_model import LocalModel
    from agents.workers.models.manager import ModelManager


_KEYS = ("OPENAI_API_KEY", "HF_TOKEN")


def connect(
    reference: ModelReference, timeout: float, retries: int, manager: ModelManager[LocalModel] | None
) -> BaseChatModel:
    """The chat model of a reference; nothing is loaded and nothing is sent.

    Args:
        reference: `openai`, `hf-endpoint`, `provider` or `hf`.
        timeout: seconds for one request to an OpenAI-compatible server.
        retries: how often a failed request to one is sent again.
        manager: of local models; only `hf` needs it.

    Raises:
        ModelUnavailableError: a package or a key is missing.
        SpecError: the reference is not that of a chat model.
    """
    if reference.kind in ("openai", "hf-endpoint"):
        return _openai(reference, timeout, retries)
    if reference.kind == "provider":
        return _provider(reference)
    if reference.kind == "hf" and manager is not None:
        from agents.workers.models.local_chat import LocalChat

        return LocalChat(reference=reference, manager=manager)
    raise SpecError(f"the model {reference} is no chat model.", hint="It can be a worker of its own.")


def without_keys(said: str) -> str:
    """What a server said, without the key that some repeat when they refuse it."""
    for name in _KEYS:
        if key := os.environ.get(name):
            said = said.replace(key, f"[{name}]")
    return said


def _openai(reference: ModelReference, timeout: float, retries: int) -> BaseChatModel:
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    # Text Generation Inference, which inference endpoints run, speaks OpenAI's protocol below /v1.
    # HuggingFaceEndpoint would ask every server for a model called "dummy".
    endpoint = reference.kind == "hf-endpoint"
    key = os.environ.get("HF_TOKEN" if endpoint else "OPENAI_API_KEY")
    url = reference.url.rstrip("/") if endpoint else reference.url
    return ChatOpenAI(
        model=reference.name,
        base_url=f"{url}/v1" if endpoint and not url.endswith("/v1") else url,
        api_key=SecretStr(key or "none"),
        timeout=timeout,
        max_retries=retries,
        streaming=True,
        stream_usage=True,
    )


def _provider(reference: ModelReference) -> BaseChatModel:
    try:
        from langchain.chat_models import init_chat_model
    except ModuleNotFoundError as error:
        raise ModelUnavailableError(
            f"the package {error.name!r} is not installed.",
            hint="Install the extra: pip install -e '.[provider]'.",
        ) from error
    try:
        return init_chat_model(reference.name)
    except ImportError as error:  # it names the package to install
        raise ModelUnavailableError(f"the provider of {reference.name!r}: {error}") from error
    except Exception as error:  # each provider checks its settings in its own way
        raise ModelUnavailableError(
            f"the provider of {reference.name!r}: {error}",
            hint="Is its key set, and is it one that init_chat_model knows?",
        ) from error
