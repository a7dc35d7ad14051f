"""Hold what a client asks of the model that answers: sampling, limits, form, and the client's own tools."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Penalty = Annotated[float, Field(ge=-2, le=2)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


class Generation(BaseModel):
    """Hold the parameters of one generation, as OpenAI's API names them; None leaves it to the model.

    Attributes:
        max_tokens: what the model may generate at most.
        stop: texts at which it stops.
        n: how many answers it gives; the others stand beside the first.
        logprobs, top_logprobs: whether the log-probabilities of its tokens are given, and of how many others.
        response_format: the form of the answer: `json_object`, or `json_schema` with its schema.
        tools: functions of the client, which the model may ask the client to call.
        tool_choice: whether it may, must, or must not, and which.
        top_k, min_p, repetition_penalty, chat_template_kwargs: what servers of local models take too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: int | None = Field(default=None, ge=1, le=10_000_000)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    stop: tuple[str, ...] | None = Field(default=None, max_length=16)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    n: int | None = Field(default=None, ge=1, le=16)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    reasoning_effort: Effort | None = None
    response_format: dict[str, Any] | None = None
    tools: tuple[dict[str, Any], ...] | None = Field(default=None, max_length=128)
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    top_k: int | None = Field(default=None, ge=-1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    repetition_penalty: float | None = Field(default=None, gt=0, le=10)
    chat_template_kwargs: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _can_be_sent(cls, given: Any) -> Any:
        for name in Generation.model_fields if isinstance(given, dict) else ():
            try:
                json.dumps(given.get(name), ensure_ascii=False).encode()
            except UnicodeEncodeError:
                raise apart(name, "it holds half of a character") from None
            except (TypeError, ValueError):
                continue  # of another type, as the field will say
        return given

    @model_validator(mode="after")
    def _goes_together(self) -> Generation:
        if self.top_logprobs and not self.logprobs:
            raise apart("top_logprobs", "it needs logprobs: true")
        if self.tool_choice not in (None, "none", "auto") and not self.tools:
            raise apart("tool_choice", "it needs tools")
        if self.tools and (self.n or 1) > 1:
            raise apart("n", "more than 1 is not taken with tools")
        return self

    @property
    def given(self) -> dict[str, Any]:
        """Return what is asked for, by name; `n: 1`, no tools and no stop texts ask for nothing."""
        found = self.model_dump(mode="json", exclude_none=True)
        nothing = {name for name, value in found.items() if value in ([], {})}
        nothing |= {name for name, value in (("n", 1), ("logprobs", False)) if found.get(name) == value}
        return {name: value for name, value in found.items() if name not in nothing}

    @property
    def needs_model(self) -> bool:
        """Return whether only a model can do it: a form, a call, several answers, probabilities."""
        return bool(self.demands_call or (self.n or 1) > 1 or self.logprobs or self.form)

    @property
    def form(self) -> dict[str, Any] | None:
        """Return the form that the answer must have; None for text."""
        form = self.response_format
        return form if form and form.get("type") != "text" else None

    @property
    def demands_call(self) -> bool:
        """Return whether the answer must be a call of the client's tools."""
        return bool(self.tools) and self.tool_choice not in (None, "auto", "none")

    @property
    def offers_tools(self) -> bool:
        """Return whether the client's tools may be called."""
        return bool(self.tools) and self.tool_choice != "none"


def apart(param: str, why: str) -> PydanticCustomError:
    """Return the error of a parameter that does not go with the others, which names it."""
    return PydanticCustomError("apart", "{why}", {"why": why, "param": param})
