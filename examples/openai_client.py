"""Talk to the served graph with OpenAI's client: the server keeps the conversation and shows its routing.

python -m examples.openai_client http://127.0.0.1:8000 "What is 17 * 23?" "And half of it?"
"""

from __future__ import annotations

import os
import uuid
from typing import Any

from openai import OpenAI

from examples import arguments


def main(url: str, *questions: str) -> list[str]:
    """Return the answers, printed as they come, each after the Octopus's reasoning."""
    client = OpenAI(base_url=f"{url}/v1", api_key=os.environ.get("OCTOPUS_API_KEY", "none"))
    thread = {"X-Octopus-Thread": uuid.uuid4().hex}
    return [ask(client, question, thread) for question in questions]


def ask(client: OpenAI, question: str, thread: dict[str, str]) -> str:
    """Ask one question of the conversation."""
    answer = ""
    for chunk in client.chat.completions.create(
        model="mmlu",
        messages=[{"role": "user", "content": question}],
        stream=True,
        extra_headers=thread,
        extra_body={"octopus": {"max_hops": 6}},
    ):
        delta: Any = chunk.choices[0].delta
        print(getattr(delta, "reasoning_content", None) or delta.content or "", end="", flush=True)
        answer += delta.content or ""
    print()
    return answer


if __name__ == "__main__":
    main(*arguments("openai_client URL QUESTION [QUESTION …]", 2, "`octopus serve`"))
