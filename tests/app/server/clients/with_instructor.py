"""The usual examples of instructor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import instructor
import openai
from pydantic import BaseModel

from tests.app.server.clients.loop import API_KEY, BASE_URL, BREAD, MODEL, SHOPPING, SYSTEM, refused, serve

ASKED: list[Any] = [{"role": "user", "content": BREAD}]


class Recipe(BaseModel):
    """A recipe."""

    name: str
    minutes: int


class price(BaseModel):  # noqa: N801 - the name of the tool
    """Get the price of something, in euros."""

    of: str


class weather(BaseModel):  # noqa: N801
    """Get the weather of a place."""

    place: str


def client(mode: Any = instructor.Mode.TOOLS, **more: Any) -> Any:
    given: dict[str, Any] = {"base_url": BASE_URL, "api_key": API_KEY, "max_retries": 0, "timeout": 60}
    return instructor.from_openai(openai.OpenAI(**(given | more)), mode=mode)


def create(made: Any, messages: Any = ASKED, **more: Any) -> Any:
    given = {"model": MODEL, "response_model": Recipe, "max_retries": 1}
    return made.chat.completions.create(messages=messages, **(given | more))


def plain() -> Any:
    return create(client(), response_model=None).choices[0].message.content


def parts() -> Any:
    made = client(instructor.Mode.JSON_SCHEMA)
    found = list(made.chat.completions.create_partial(model=MODEL, messages=ASKED, response_model=Recipe))
    return found[-1].model_dump()


def tools() -> Any:
    """Its parallel calls; it runs none."""
    made = client(instructor.Mode.PARALLEL_TOOLS)
    asked = [{"role": "user", "content": SHOPPING}]
    found = create(made, asked, response_model=Iterable[price | weather])
    return [[type(one).__name__, one.model_dump()] for one in found]


def failing(ask: Callable[[], Any]) -> Callable[[], Any]:
    def example() -> Any:
        try:
            ask()
        except Exception as error:
            cause: Any = error
            while cause is not None and not isinstance(cause, openai.APIError):
                cause = cause.__cause__
            if isinstance(cause, openai.APITimeoutError):
                return "timeout"
            if cause is None:
                raise
            return refused(cause)
        return "nothing was refused"

    return example


if __name__ == "__main__":
    Mode = instructor.Mode
    ruled = [{"role": "system", "content": SYSTEM}, *ASKED]
    serve(
        {
            "plain": plain,
            "system": lambda: create(client(), ruled, response_model=None).choices[0].message.content,
            "json": lambda: create(client(Mode.JSON)).model_dump(),
            "schema": lambda: create(client(Mode.JSON_SCHEMA)).model_dump(),
            "schema_stream": parts,
            "schema_tool": lambda: create(client()).model_dump(),
            "corrected": lambda: create(client(), max_retries=2).model_dump(),
            "parallel": tools,
            "unauthorized": failing(lambda: create(client(api_key="wrong"))),
            "unknown_model": failing(lambda: create(client(), model="none")),
            "retried": lambda: create(client(max_retries=2), response_model=None).choices[0].message.content,
            "overloaded": failing(lambda: create(client())),
            "given_up": failing(lambda: create(client(timeout=1.5))),
        }
    )
