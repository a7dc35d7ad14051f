"""The usual examples of `llm`: its command, as its manual has it, with a model of a YAML file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.app.server.clients.loop import API_KEY, BASE_URL, BREAD, MODEL, MORE, SHOPPING, SYSTEM, serve

FUNCTIONS = """
def price(of: str) -> str:
    "Get the price of something, in euros."
    return {"bread": "5", "rice": "3"}[of]

def weather(place: str) -> str:
    "Get the weather of a place."
    return {"Rome": "sunny"}[place]
"""


class RefusedError(Exception):
    """The command failed."""


def llm(*arguments: str, model: str = MODEL) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "llm", *arguments, "-m", model]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RefusedError(done.stderr)
    return done.stdout.strip()


def turns() -> Any:
    llm(BREAD)
    return llm(MORE, "--continue")


def stream() -> Any:
    """From Python: the command prints the pieces without a mark between them."""
    import llm as library

    response = library.get_model(MODEL).prompt(BREAD)
    pieces = [piece for piece in response if piece]
    used = response.usage()
    return {"pieces": len(pieces), "text": "".join(pieces), "tokens": (used.input or 0) + (used.output or 0)}


def parameters() -> Any:
    options = {"temperature": "0.5", "top_p": "0.9", "max_tokens": "2", "seed": "7", "stop": "END"}
    options["presence_penalty"] = "0.5"
    given = [word for name, value in options.items() for word in ("-o", name, value)]
    return {"text": llm(BREAD, *given), "finish": "length"}


def tools(*more: str) -> Any:
    text = llm(SHOPPING, "--functions", FUNCTIONS, *more)
    logged = json.loads(llm_logs())
    calls = [[call["name"], call["arguments"]] for one in logged for call in one.get("tool_calls") or ()]
    return {"text": text, "calls": calls}


def llm_logs() -> str:
    command = [sys.executable, "-m", "llm", "logs", "-c", "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def failing(ask: Callable[[], Any]) -> Callable[[], Any]:
    def example() -> Any:
        try:
            ask()
        except RefusedError as error:
            status = re.search(r"Error code: (\d+)", str(error))
            code = re.search(r"'code': '(\w+)'", str(error))
            return {"status": int(status[1]) if status else str(error), "code": code[1] if code else None}
        return "nothing was refused"

    return example


def main() -> None:
    """Run the examples in a user directory of their own."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LLM_USER_PATH"] = folder
        (Path(folder) / "keys.json").write_text(json.dumps({"octopus": API_KEY}))
        usual: dict[str, Any] = {"api_base": BASE_URL, "api_key_name": "octopus"}
        usual |= {"supports_tools": True, "supports_schema": True}
        models = [{"model_id": name, "model_name": name, **usual} for name in (MODEL, "none")]
        (Path(folder) / "extra-openai-models.yaml").write_text(json.dumps(models))
        serve(
            {
                "plain": lambda: llm(BREAD, "--no-stream"),
                "system": lambda: llm(BREAD, "--system", SYSTEM),
                "turns": turns,
                "stream": stream,
                "parameters": parameters,
                "json": lambda: json.loads(llm(BREAD, "-o", "json_object", "1")),
                "schema": lambda: json.loads(llm(BREAD, "--schema", "name, minutes int")),
                "agent": lambda: tools("--no-stream"),
                "agent_stream": tools,
                "unauthorized": failing(lambda: llm(BREAD, "--key", "wrong")),
                "unknown_model": failing(lambda: llm(BREAD, model="none")),
                "out_of_range": failing(lambda: llm(BREAD, "-o", "temperature", "1.99", "-o", "top_p", "0")),
                "retried": lambda: llm(BREAD, "--no-stream"),
                "overloaded": failing(lambda: llm(BREAD, "--no-stream")),
                "filtered": failing(lambda: llm(BREAD, "--no-stream")),
            }
        )


if __name__ == "__main__":
    main()
