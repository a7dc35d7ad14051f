"""The extension field `octopus` of a request."""

from __future__ import annotations

from pydantic import Field

from graphs.state import GraphContext


class Options(GraphContext):
    """Budgets, policy and reflection of a run, as in `GraphContext`; and the answer to what it asked.

    Attributes:
        resume: goes on with a turn that waits for a person: the answer to the first of its questions, or
            answers by their ids. Without it, the user's message is the answer.
    """

    resume: str | dict[str, str] | None = Field(default=None, max_length=4000)

    @property
    def context(self) -> GraphContext:
        """What the graph is told."""
        return GraphContext.model_validate(self.model_dump(exclude={"resume"}, exclude_unset=True))
