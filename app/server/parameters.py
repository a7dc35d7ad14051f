"""Read the parameters of OpenAI's APIs: each is used, is what happens anyway, or is refused by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from agents.generation import Generation, apart
from app.server.errors import UNSUPPORTED, ApiError
from graphs.state import GraphContext


def only(*taken: Any) -> BeforeValidator:
    """Take these values and null, which ask for what happens anyway; refuse any other by its name."""

    def check(value: Any) -> Any:
        if value is None or any(value == one and type(value) is type(one) for one in taken):
            return value
        listed = " or ".join(repr(one) for one in taken)
        why = f"this server takes {listed} only" if taken else "this server has nothing that could do it"
        raise PydanticCustomError(UNSUPPORTED, "{why}", {"why": why})

    return BeforeValidator(check)


Unsupported = Annotated[Any, only()]
Short = Annotated[str, Field(max_length=512)]
FunctionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Strict(BaseModel):
    """Refuse fields that are not known: nothing is ignored in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Function(Strict):
    """Describe a function of the client."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChatTool(Strict):
    """Describe a tool as chat completions write it."""

    type: Annotated[str, only("function")]
    function: Function


class ResponseTool(Function):
    """Describe a tool as responses write it."""

    type: Annotated[str, only("function")]
    async_: Annotated[bool | None, only(False)] = Field(default=None, alias="async")
    defer_loading: Annotated[bool | None, only(False)] = None
    allowed_callers: Annotated[Any, only(["direct"])] = None
    output_schema: Unsupported = None


class JsonSchema(Strict):
    """Describe the form of an answer."""

    name: FunctionName
    schema_: dict[str, Any] = Field(alias="schema")
    description: str | None = None
    strict: bool | None = None


class ChatForm(Strict):
    """Describe `response_format`."""

    type: Annotated[str, only("text", "json_object", "json_schema")]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _whole(self) -> ChatForm:
        if self.type == "json_schema" and self.json_schema is None:
            raise apart("json_schema", "it is needed with the type json_schema")
        return self


class RunOptions(GraphContext):
    """Describe the extension field `octopus`: a `GraphContext`, and how a run begins in its thread.

    Attributes:
        resume: continues a run that waits for a person: the answer to the first of its questions, or answers
            by their ids. Without it, the user's message is the answer.
        wait: seconds to wait for while another run has the thread, in the order of the requests, and no
            longer than a run may take. Without it, the request is refused.
    """

    resume: str | dict[str, str] | None = Field(default=None, max_length=4000)
    wait: float = Field(default=0.0, ge=0.0, le=3600.0)

    @property
    def context(self) -> GraphContext:
        """Return the context of the run."""
        return GraphContext.model_validate(self.model_dump(exclude={"resume", "wait"}, exclude_unset=True))


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _or_nothing(value: Any) -> Any:
    return {} if value is None else value


_Texts = Annotated[tuple[str, ...], Field(max_length=16)]


class AnyRequest(Generation):
    """Hold what both APIs take.

    Attributes:
        user, safety_identifier, prompt_cache_key, metadata: of the client; given back with the answer.
        octopus: budgets, policy, reflection, answers to questions; an extension.
    """

    told: ClassVar[tuple[str, ...]] = ("metadata", "user", "safety_identifier", "prompt_cache_key")

    model: Short
    stream: bool | None = None
    tool_choice: Any = None
    stop: Annotated[_Texts | None, BeforeValidator(_listed)] = None
    user: Short | None = None
    safety_identifier: Short | None = None
    prompt_cache_key: Short | None = None
    metadata: Annotated[dict[Annotated[str, Field(max_length=64)], Short], Field(max_length=16)] | None = None
    service_tier: Annotated[Any, only("auto", "default")] = None
    moderation: Unsupported = None
    prompt_cache_options: Unsupported = None
    prompt_cache_retention: Unsupported = None
    octopus: Annotated[RunOptions, BeforeValidator(_or_nothing)] = Field(default_factory=RunOptions)

    @property
    def kept(self) -> dict[str, Any]:
        """Return what is given back with the answer."""
        return {name: value for name in self.told if (value := getattr(self, name)) is not None}

    @property
    def context(self) -> GraphContext:
        """Return the context of the run, with what is asked of the model.

        Raises:
            ApiError: 400, one thing is asked for twice, and differently.
        """
        elsewhere = _named("octopus.generation.", self.octopus.generation)
        asked = _with_choice(merged([*self._asked(), *elsewhere]))
        context = self.octopus.context
        generation = Generation.model_validate(asked)
        return context.model_copy(update={"generation": generation}) if asked else context

    def _asked(self) -> Iterator[tuple[str, str, Any]]:
        """Yield what is asked of the model: what the client calls it, the name in `Generation`, the value."""
        yield from _named("", self)


def _named(prefix: str, given: BaseModel) -> Iterator[tuple[str, str, Any]]:
    told = given.model_dump(include=set(Generation.model_fields), exclude_none=True, by_alias=True)
    for name, value in told.items():
        yield prefix + name, name, value


def merged(asked: Iterable[tuple[str, str, Any]]) -> dict[str, Any]:
    """Return the values by the names of `Generation`.

    Raises:
        ApiError: 400, two parameters ask for one thing, and differ.
    """
    found: dict[str, Any] = {}
    said: dict[str, str] = {}
    for param, name, value in asked:
        if name in found and found[name] != value:
            raise ApiError(400, f"{param} and {said[name]} differ; send one.", code="invalid", param=param)
        found[name], said[name] = value, param
    return found


def _with_choice(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked with its `tool_choice` checked; `allowed_tools` leaves those tools alone.

    Raises:
        ApiError: 400, a tool is there twice, or the choice is none, or not among the tools.
    """
    tools, choice = asked.get("tools") or (), asked.get("tool_choice", "auto")
    by_name = {tool["function"]["name"]: tool for tool in tools}
    if len(by_name) < len(tools):
        raise _wrong("tools", "two have one name")
    if not tools and choice in ("none", "auto"):  # there is nothing to choose, and nothing to call at once
        return {name: asked[name] for name in asked if name not in ("tool_choice", "parallel_tool_calls")}
    if choice in ("none", "auto", "required"):
        return asked
    names, mode = _chosen(choice)
    if not names or any(name not in list(by_name) for name in names):
        raise _wrong("tool_choice", "it names no tool of this request")
    return (
        asked if mode is None else asked | {"tools": [by_name[name] for name in names], "tool_choice": mode}
    )


def _chosen(choice: Any) -> tuple[list[Any], str | None]:
    """Return the names of the functions that may be called, and of several whether one must be."""
    try:
        if choice["type"] == "function":
            return [choice["function"]["name"]], None
        if choice["type"] == "allowed_tools" and choice["allowed_tools"]["mode"] in ("auto", "required"):
            allowed = choice["allowed_tools"]
            return [one["function"]["name"] for one in allowed["tools"]], allowed["mode"]
    except (TypeError, KeyError):
        pass
    raise _wrong("tool_choice", "it is none of 'none', 'auto', 'required', a function or allowed tools")


def _wrong(param: str, why: str) -> ApiError:
    return ApiError(400, f"{param}: {why}.", code="invalid", param=param)
