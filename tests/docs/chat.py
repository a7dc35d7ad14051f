"""What the chat server of the how-tos says: the form that a prompt asks for, where it asks for one."""

from __future__ import annotations

import json
from typing import Any

from tests.replies import Reply

QUERIES = {
    "cook": [
        "How do I cook leeks?",
        "What can I bake with rye flour?",
        "Which herbs go into a tomato sauce?",
        "How hot must the oven be for a pizza?",
        "Can I freeze boiled potatoes?",
        "How much salt does pasta water need?",
    ],
    "vet": [
        "My dog has a fever, what now?",
        "Why is my cat limping?",
        "The rabbit does not eat any more.",
        "Which vaccination does a puppy get first?",
        "My horse coughs at night.",
        "Is a swollen paw dangerous for a kitten?",
    ],
    "none": [
        "Who won the election in Peru?",
        "Prove the theorem of Pythagoras.",
        "Translate this into Greek.",
    ],
}
"""By the worker of docs/language_models.md that they are for."""


def reply(body: dict[str, Any]) -> str | Reply:
    """The answer to a request of OpenAI's chat completions."""
    if body["messages"][-1]["role"] == "tool":
        return f"There are {body['messages'][-1]['content']}."
    if any(tool["function"]["name"] == "pieces" for tool in body.get("tools", ())):
        return Reply(calls=[("pieces", {"item": "lamp"})])
    system, user = (_last(body, role) for role in ("system", "user"))
    if schema := (body.get("response_format") or {}).get("json_schema"):
        return json.dumps({"letter": schema["schema"]["properties"]["letter"]["enum"][-1]})
    numbered = [json.loads(line.split(". ", 1)[1]) for line in user.splitlines() if line[:1].isdigit()]
    if system.startswith("You write"):
        for_whom = "none" if "exist" in user else "cook" if "cooking" in user else "vet"
        return json.dumps(QUERIES[for_whom])
    if system.startswith("You sort"):
        return json.dumps([next(name for name, own in QUERIES.items() if one in own) for one in numbered])
    if system.startswith("You rewrite queries"):
        return json.dumps([f"Explain: {one}" for one in numbered])
    if system.startswith("You rewrite questions"):
        return user
    return "A." if user.endswith("Answer:") else "Forty-two."


def _last(body: dict[str, Any], role: str) -> str:
    found = [message["content"] for message in body["messages"] if message["role"] == role]
    return str(found[-1]) if found else ""
