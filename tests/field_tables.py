"""Which fields each engine takes, from its source (vLLM 0.29, SGLang 0.5.23, LoRAX); others are refused.

The engines are milder: vLLM and LoRAX ignore what they do not know, so that a constraint in a misspelt or
retired field (`guided_choice`) would be dropped in silence. Here it fails.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class VllmCompletion(Table):
    model: str | None = None
    prompt: list[int] | str
    echo: bool | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: int | None = None
    max_tokens: int | None = 16
    n: int = 1
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_token_ids: list[int] | None = None
    include_stop_str_in_output: bool = False
    skip_special_tokens: bool = True
    spaces_between_special_tokens: bool = True
    allowed_token_ids: list[int] | None = None
    logprob_token_ids: list[int] | None = Field(default=None, min_length=1, max_length=128)
    add_special_tokens: bool = True
    structured_outputs: dict[str, Any] | None = None
    return_tokens_as_token_ids: bool | None = None

    @model_validator(mode="after")
    def _needs_logprobs(self) -> VllmCompletion:
        if self.logprob_token_ids and self.logprobs is None:
            raise ValueError("logprob_token_ids requires logprobs")
        return self


class Tokenize(Table):
    model: str | None = None
    prompt: str
    add_special_tokens: bool = True
    return_token_strs: bool | None = False


class SglangSampling(Table):
    max_new_tokens: int = 128
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    stop: str | list[str] | None = None
    stop_token_ids: list[int] | None = None
    regex: str | None = None
    json_schema: str | None = None
    logit_bias: dict[str, float] | None = None
    skip_special_tokens: bool = True
    spaces_between_special_tokens: bool = True
    no_stop_trim: bool = False


class SglangGenerate(Table):
    text: str | None = None
    input_ids: list[int] | None = None
    sampling_params: SglangSampling
    return_logprob: bool | None = None
    logprob_start_len: int | None = None
    top_logprobs_num: int | None = None
    token_ids_logprob: list[int] | None = None
    return_text_in_logprobs: bool = False
    stream: bool = False
    lora_path: str | None = None


class LoraxParameters(Table):
    adapter_id: str | None = None
    adapter_source: str | None = None
    max_new_tokens: int | None = None
    do_sample: bool = False
    temperature: float | None = None
    stop: list[str] = Field(default=[], max_length=4)
    details: bool = False
    decoder_input_details: bool = False
    return_k_alternatives: int | None = Field(default=None, gt=0)
    seed: int | None = None
    response_format: dict[str, Any] | None = None


class LoraxGenerate(Table):
    inputs: str
    parameters: LoraxParameters


class Message(Table):
    role: str
    content: str


class OpenAIChat(Table):
    model: str
    messages: list[Message]
    max_tokens: int | None = None
    temperature: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    response_format: dict[str, Any] | None = None


class OllamaOptions(Table):
    temperature: float = 0.8
    num_predict: int = -1


class OllamaChat(Table):
    model: str
    messages: list[Message]
    stream: bool = True
    format: dict[str, Any] | None = None
    options: OllamaOptions = OllamaOptions()
    logprobs: bool = False
    top_logprobs: int = Field(default=0, ge=0, le=20)


class LlamaTemplate(Table):
    messages: list[Message]


class LlamaCompletion(Table):
    prompt: str
    n_predict: int = -1
    temperature: float = 0.8
    grammar: str | None = None
    n_probs: int = 0
    cache_prompt: bool = True
