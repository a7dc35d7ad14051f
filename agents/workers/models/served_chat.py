"""Speak OpenAI's protocol with servers of open models, which say more than OpenAI does."""

from __future__ import annotations

from typing import Any

from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI

from agents.workers.models.reply import REASONING

_THOUGHTS = (REASONING, "reasoning")  # vLLM, llama.cpp, DeepSeek; Ollama, OpenRouter


class ServedChat(ChatOpenAI):
    """Keep what `ChatOpenAI` drops by design: the thinking, in a field of its own, and streamed refusals."""

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        found = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        if found is not None and chunk.get("choices"):
            choice = chunk["choices"][0]
            _keep(found.message.additional_kwargs, choice.get("delta"))
            if choice.get("logprobs"):  # else a stream has them beside its messages only
                found.message.response_metadata["logprobs"] = choice["logprobs"]
        return found

    def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
        result = super()._create_chat_result(response, generation_info)
        read = response if isinstance(response, dict) else response.model_dump(warnings=False)
        for generation, choice in zip(result.generations, read["choices"], strict=True):
            _keep(generation.message.additional_kwargs, choice.get("message"))
        return result


def _keep(kept: dict[str, Any], said: Any) -> None:
    if not isinstance(said, dict):
        return
    thought = next((said[name] for name in _THOUGHTS if isinstance(said.get(name), str)), "")
    if thought:
        kept[REASONING] = thought
    if isinstance(said.get("refusal"), str):
        kept["refusal"] = said["refusal"]
