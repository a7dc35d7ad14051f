"""Options of `ask` and `chat` that say how the graph is to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from graphs.state import GraphContext

Reflection = Annotated[
    str | None,
    typer.Option(
        help="How drafts are reflected on: none, basic, reflexion, lats or auto; by default as in the spec."
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(help="How much cost weighs against probability: quality (the default), balanced or cheap."),
]
Experts = Annotated[
    int | None, typer.Option(help="How many of the best neighbours answer the same question and vote.")
]
Approve = Annotated[bool, typer.Option("--approve", help="Ask before every step: y, n or another node.")]


def context_of(*, approve: bool = False, **options: Any) -> GraphContext | None:
    """What the options ask of a run; None where they ask for nothing.

    Raises:
        InputError: a value is not one of those that there are.
    """
    asked = {name: value for name, value in options.items() if value is not None}
    if approve:
        asked |= {"approve": True, "ask_user": True}
    if not asked:
        return None
    from pydantic import ValidationError

    from agents.errors import InputError
    from graphs.state import GraphContext

    try:
        return GraphContext.model_validate(asked)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name = str(fault["loc"][0])
        raise InputError(f"--{name} {fault['input']!r} cannot be used.", hint=f"{fault['msg']}.") from error
