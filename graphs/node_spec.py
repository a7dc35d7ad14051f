"""Define the spec of a node: what it says of itself, its edges, its Octopus, its model, its reflection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agents.modalities import Modality
from agents.octopus.kinds import LOCAL, parse_octopus
from agents.octopus.tokens import POOL_SIZE, parse_token, slot_token
from agents.redaction import bare_urls
from agents.reflection.types import Mode
from agents.reflection.verifiers import SchemaVerifier
from agents.types import FunctionalToken, NodeName
from agents.workers.kinds import parse_reference
from agents.workers.models.reference import CODE, Sends


class SpecModel(BaseModel):
    """Refuse unknown keys; an instance never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OctopusSpec(SpecModel):
    """Choose the model that routes at a node.

    Attributes:
        kind: `encoder` or `causal`; None takes what the artifact holds, or what the environment names.
        artifact: directory of the trained artifact, relative to the spec; None looks the graph's name up
            among the shipped artifacts and routes zero-shot when there is none.
        threshold: probability below which the cascade takes over; None takes the artifact's.
        model: a model on a server that routes instead, e.g. `vllm:BASE#{master}@http://localhost:8000`;
            its forms are in `agents.octopus.kinds`. `octopus: MODEL` and `octopus: KIND` are short forms.
        fallback: whether the embedded default decides where that server cannot.
    """

    kind: str | None = None
    artifact: str | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    model: str | None = None
    fallback: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_one_line(cls, value: Any) -> Any:
        return {"model" if ":" in value else "kind": value} if isinstance(value, str) else value

    @field_validator("kind")
    @classmethod
    def _is_a_kind(cls, value: str | None) -> str | None:
        if value is not None and value not in LOCAL:
            raise ValueError(f"{value!r} is none of {', '.join(LOCAL)}, nor a model on a server")
        return value

    @field_validator("model")
    @classmethod
    def _is_a_reference(cls, value: str | None) -> str | None:
        if value is not None:
            parse_octopus(value, NodeName("master"))
        return value

    @model_validator(mode="after")
    def _is_one_of_them(self) -> OctopusSpec:
        if self.kind and self.model:
            raise ValueError(
                f"the kind {self.kind!r} and the model {bare_urls(self.model)!r} exclude each other"
            )
        return self


class RecommendedModel(SpecModel):
    """Recommend the model that the author of the spec would serve for a worker."""

    model: str
    size: str = ""
    licence: str = ""


class Price(SpecModel):
    """Price a million tokens, in dollars."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]


Neighbours = dict[NodeName, FunctionalToken]


class NodeSpec(SpecModel):
    """Describe what masters and workers share.

    Attributes:
        description: docstring: what it does, parameters, returns. Its embedding is the node's functional
            token until a router is trained.
        examples: queries that belong here; they sharpen the zero-shot token.
        neighbours: node name → functional token. In YAML a list (tokens by position) or a mapping that
            fixes slots; a null token takes the lowest free slot.
        octopus: what routes at this node; a worker needs one only if it has neighbours.
        generalist: the neighbour that takes what no other neighbour clears the threshold for.
    """

    description: str = ""
    examples: tuple[str, ...] = ()
    neighbours: Neighbours = Field(default_factory=dict)
    octopus: OctopusSpec = OctopusSpec()
    generalist: NodeName | None = None

    @field_validator("neighbours", mode="before")
    @classmethod
    def _give_slots(cls, value: Any) -> Any:
        if isinstance(value, list):
            if len(set(map(str, value))) < len(value):
                raise ValueError(f"a neighbour stands twice in {value!r}")
            value = dict.fromkeys(value)
        if not isinstance(value, dict):
            raise ValueError("neighbours must be a list of names or a mapping of names to tokens")
        return _assign_slots(value)


class MasterSpec(NodeSpec):
    """Describe a node that coordinates: it routes, it does not answer."""


class ReflectionSpec(SpecModel):
    """Say how a worker's drafts are reflected on.

    Attributes:
        mode: `auto` picks the level from the Octopus's probability and the verifier's verdict.
        rounds: drafts at most.
        tokens: generated tokens at most, of drafts, criticism and judging together.
        seconds: wall-clock time at most; the run's own timeout bounds it too.
        verifier: `sympy`, `units`, `model`, or a JSON schema as a mapping; None has the model judge
            where a verdict is needed.
    """

    mode: Mode = "none"
    rounds: Annotated[int, Field(ge=1, le=100)] = 3
    tokens: Annotated[int, Field(ge=1)] = 4000
    seconds: Annotated[float, Field(gt=0)] = 60.0
    verifier: Literal["sympy", "units", "model"] | dict[str, Any] | None = None

    @field_validator("verifier")
    @classmethod
    def _schema_is_understood(cls, value: Any) -> Any:
        if isinstance(value, dict):
            SchemaVerifier(value)
        return value


class WorkerSpec(NodeSpec):
    """Describe a node that answers.

    Attributes:
        prompt: system prompt for the worker's model.
        template: the query as the worker gets it; `{query}` stands for the query.
        tools: subjects (`calculus`) or single functions (`calculus.derivative`) of the tools package; for the
            worker's model also `mcp:URL`, all tools of an MCP server, and `python:MODULE:ATTRIBUTE`,
            LangChain tools or functions, or a list of them.
        model: a reference, e.g. `openai:llama3@http://localhost:11434/v1` (its forms are in
            `agents.workers.kinds`); None takes the general model, if one is set.
        recommended: a Hugging Face model for this worker.
        sends: whether the worker gets the query only or the conversation before it too. By default the
            conversation; agents and tools on other servers get the query.
        price, size, latency: dollars for a million tokens, billions of parameters, seconds for an answer;
            what policies weigh. Latency and tokens are measured too.
        capacity: calls at once in one process; what is over goes to the next choice.
        stronger: the neighbour that takes over after a failed verdict, no answer, or low confidence.
        graph: this worker is a whole graph: a shipped one, or the path of a spec relative to this one.
        reflection: whether drafts of the worker's model are criticised and made again.
        window: tokens of the model's context; None takes what the model or its server says.
        overflow: what becomes of the oldest turns where the conversation does not fit.
        modalities: what the worker reads beside text.
    """

    description: str
    prompt: str = ""
    template: str = "{query}"
    tools: tuple[str, ...] = ()
    model: str | None = None
    recommended: RecommendedModel | None = None
    sends: Sends | None = None
    price: Price | None = None
    size: Annotated[float, Field(gt=0)] | None = None
    latency: Annotated[float, Field(gt=0)] | None = None
    capacity: Annotated[int, Field(ge=1)] | None = None
    stronger: NodeName | None = None
    graph: str | None = None
    reflection: ReflectionSpec = ReflectionSpec()
    window: Annotated[int, Field(ge=64)] | None = None
    overflow: Literal["trim", "summary"] = "trim"
    modalities: tuple[Modality, ...] = ()

    @field_validator("template")
    @classmethod
    def _has_query(cls, value: str) -> str:
        if "{query}" not in value:
            raise ValueError(f"template {value!r} has no {{query}}, so the worker would not see the query")
        return value

    @property
    def sees_conversation(self) -> bool:
        """Return whether the worker gets the turns before the question."""
        by_kind = parse_reference(self.model).sends if self.model else "conversation"
        return (self.sends or by_kind) == "conversation"

    @field_validator("tools")
    @classmethod
    def _are_tools(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for tool in value:
            kind = tool.partition(":")[0]
            if kind == "mcp":
                parse_reference(tool)
            elif kind == "python" and not CODE.fullmatch(tool):
                raise ValueError(f"{tool!r} is not python:MODULE:ATTRIBUTE")
            elif ":" in tool and kind != "python":
                raise ValueError(f"{bare_urls(tool)!r} is no tool: write mcp:URL or python:MODULE:ATTRIBUTE")
        return value

    @model_validator(mode="after")
    def _has_a_use_for_tools(self) -> WorkerSpec:
        if self.graph is not None and self.tools:
            raise ValueError("a worker that is a graph has no tools: give them to a worker in there")
        return self

    @field_validator("model")
    @classmethod
    def _is_a_reference(cls, value: str | None) -> str | None:
        if value:
            parse_reference(value)
        return value or None


def _assign_slots(neighbours: Mapping[Any, Any]) -> dict[str, str]:
    fixed: dict[str, str] = {}
    for name, token in neighbours.items():
        if token is None:
            continue
        if parse_token(str(token)) is None:
            raise ValueError(f"{token!r} of neighbour {name!r} is not a functional token like <nexa_4>")
        if token in fixed:
            raise ValueError(f"duplicate token {token!r}: neighbours {fixed[token]!r} and {name!r}")
        fixed[str(token)] = str(name)
    free = (slot_token(k) for k in range(POOL_SIZE) if slot_token(k) not in fixed)
    try:
        return {str(name): str(token or next(free)) for name, token in neighbours.items()}
    except StopIteration:
        raise ValueError(f"more than {POOL_SIZE} neighbours") from None
