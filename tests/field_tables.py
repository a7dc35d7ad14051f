"""Which fields each engine takes, from its source (vLLM 0.29, SGLang 0.5.23, LoRAX); others are refused.

`ChatCompletion` is what vLLM, llama.cpp and Mistral's server all take of a conversation.

The engines are milder: vLLM and LoRAX ignore what they do not know, so that a constraint in a misspelt or
retired field (`guided_choice`) would be dropped in silence. Here it fails.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


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


def _schema(found: dict[str, Any]) -> dict[str, Any]:
    Draft202012Validator.check_schema(found)
    return found


Schema = Annotated[dict[str, Any], AfterValidator(_schema)]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class TextPart(Table):
    type: Literal["text"]
    text: str = Field(min_length=1)


class ImageUrl(Table):
    url: str = Field(pattern=r"^(https?://|data:image/[\w.+-]+;base64,)")
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Table):
    type: Literal["image_url"]
    image_url: ImageUrl


class Sound(Table):
    data: str
    format: Literal["wav", "mp3"]


class AudioPart(Table):
    type: Literal["input_audio"]
    input_audio: Sound


Part = Annotated[TextPart | ImagePart | AudioPart, Field(discriminator="type")]


class SystemTurn(Table):
    role: Literal["system"]
    content: str | list[TextPart]


class UserTurn(Table):
    role: Literal["user"]
    content: str | list[Part]


class CalledFunction(Table):
    name: Name
    arguments: str


class Call(Table):
    id: str = Field(min_length=1)
    type: Literal["function"]
    function: CalledFunction


class AssistantTurn(Table):
    role: Literal["assistant"]
    content: str | list[TextPart] | None = None
    tool_calls: list[Call] = Field(default=[], min_length=1)


class ToolTurn(Table):
    role: Literal["tool"]
    tool_call_id: str
    content: str | list[TextPart]


Turn = Annotated[SystemTurn | UserTurn | AssistantTurn | ToolTurn, Field(discriminator="role")]


class OfferedFunction(Table):
    name: Name
    description: str | None = None
    parameters: Schema | None = None
    strict: bool | None = None


class OfferedTool(Table):
    type: Literal["function"]
    function: OfferedFunction


class NamedFunction(Table):
    name: Name


class NamedTool(Table):
    type: Literal["function"]
    function: NamedFunction


class PlainForm(Table):
    type: Literal["text", "json_object"]


class JsonSchema(Table):
    name: Name
    description: str | None = None
    schema_: Schema = Field(alias="schema")
    strict: bool | None = None


class SchemaForm(Table):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class StreamOptions(Table):
    include_usage: bool = False


Penalty = Annotated[float, Field(ge=-2, le=2)]
Bias = Annotated[float, Field(ge=-100, le=100)]


class ChatCompletion(Table):
    model: str
    messages: list[Turn] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    repetition_penalty: float | None = Field(default=None, gt=0, le=2)
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Bias] | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    seed: int | None = None
    n: int = Field(default=1, ge=1, le=16)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    response_format: Annotated[PlainForm | SchemaForm, Field(discriminator="type")] | None = None
    tools: list[OfferedTool] | None = Field(default=None, min_length=1)
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    chat_template_kwargs: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> ChatCompletion:
        offered = [tool.function.name for tool in self.tools or ()]
        if len(set(offered)) < len(offered):
            raise ValueError("two tools have one name")
        if (self.tool_choice is not None or self.parallel_tool_calls is not None) and not offered:
            raise ValueError("tool_choice and parallel_tool_calls are only allowed with tools")
        if isinstance(self.tool_choice, NamedTool) and self.tool_choice.function.name not in offered:
            raise ValueError("tool_choice names no offered tool")
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs wants logprobs")
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options is only allowed where stream is true")
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise ValueError("max_tokens and max_completion_tokens together")
        return self
