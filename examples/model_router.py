"""Let the Octopus decide in LangChain's ModelRouterMiddleware (beta, langchain ≥ 1.5).

It chooses which of several models an agent's question goes to, from the criteria alone, without a graph, a
key or a server.

    python -m examples.model_router "Prove that there are infinitely many primes."
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from agents.errors import ModelUnavailableError
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.heads import Untrained
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.octopus.tokens import slot_token
from agents.types import Edge, NodeName
from examples import arguments

try:
    from langchain_core.decisions import BaseDecisionModel, Choice, ChoiceAnswer, ClassifierResponse
except ImportError as error:
    raise ModelUnavailableError(
        "this langchain has no model router.", hint="pip install 'langchain>=1.5'"
    ) from error

CRITERIA = {
    "small": "Small talk, greetings, short factual questions.",
    "reasoner": "Mathematics, proofs, puzzles, and questions that need several steps of reasoning.",
    "coder": "Programming: writing, reading and repairing code.",
}


class OctopusDecisionModel(BaseDecisionModel):
    """Answer `Choice` questions by functional token; the probabilities are zero-shot, so not calibrated."""

    model: str = "octopus-encoder"

    @property
    def _provider(self) -> str:
        return "octopus"

    def _classify(self, state: Any, questions: dict[str, Any]) -> ClassifierResponse:
        text = str(getattr(state, "text", state))
        answers = {name: self._choose(text, question) for name, question in questions.items()}
        return ClassifierResponse(model=self.model, answers=answers)

    def _choose(self, text: str, question: Any) -> ChoiceAnswer:
        if not isinstance(question, Choice):
            raise ValueError(f"the Octopus chooses; it has no answer to a {type(question).__name__}.")
        labels = {label: str(criterion) for label, criterion in question.criteria.items()}
        best, *others = octopus(tuple(labels.items())).decide([text]).choices
        found = {str(choice.node): choice.probability for choice in (best, *others)}
        return ChoiceAnswer(
            type="choice",
            choice=str(best.node),
            probabilities={label: found.get(label, 0.0) for label in labels},
            confidence=best.probability,
        )


@cache
def octopus(criteria: tuple[tuple[str, str], ...]) -> EncoderOctopus:
    """Return an Octopus with an edge per label."""
    encoder = Encoder()
    head = ZeroShotHead.build([Candidate(*criterion) for criterion in criteria], encoder.embed)
    edges = [Edge(NodeName(label), slot_token(k)) for k, (label, _) in enumerate(criteria)]
    return EncoderOctopus(edges, Untrained.of(head), encoder)


def router(models: Mapping[str, Any], criteria: Mapping[str, str] = CRITERIA) -> Any:
    """Return the middleware: `create_agent(..., middleware=[router(models)])`."""
    from langchain.agents.middleware import ModelChoice, ModelRouterMiddleware  # type: ignore[attr-defined]

    return ModelRouterMiddleware(
        choices={
            label: ModelChoice(model=model, criteria=criteria[label]) for label, model in models.items()
        },
        instructions="Choose the model that suits the question.",
        classifier=OctopusDecisionModel(),
    )


def main(question: str) -> ChoiceAnswer:
    """Return which model the question goes to."""
    asked = {"route": Choice(instructions="Which model?", criteria=dict(CRITERIA))}
    return OctopusDecisionModel().invoke({"state": question, "questions": asked}).choices["route"]


if __name__ == "__main__":
    print(main(arguments("model_router QUESTION", 1)[0]))
