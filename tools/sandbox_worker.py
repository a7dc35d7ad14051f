"""Serve calls as the worker process of `tools.sandbox`.

`python -m tools.sandbox_worker SECONDS MEMORY_BYTES` reads JSON lines. `{"import": [library, ...]}` has no
answer. `{"call": name, "arguments": {...}}` is answered by `{}` once the function's libraries are imported,
and then by `{"result": ...}` or `{"error": text}`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import signal
import sys
import warnings
from typing import Any, TextIO

from tools.declaration import ToolError
from tools.registry import function

MAX_REPLY_CHARACTERS = 100_000
LIBRARIES = frozenset({"sympy", "pint", "scipy.constants", "numpy_financial"})


def main() -> None:
    """Answer calls until the parent closes the pipe or ends."""
    seconds, memory_bytes = float(sys.argv[1]), int(sys.argv[2])
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not be taken for a reply
    _limit_memory(memory_bytes)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        request = json.loads(line)
        if "import" in request:
            _import(request["import"])
        else:
            _serve(request, seconds, replies)


def _serve(request: dict[str, Any], seconds: float, replies: TextIO) -> None:
    try:
        called = function(request["call"])
        _import(called.libraries)
    except ToolError as error:
        called, reply = None, {"error": str(error)}
    _write({}, replies)
    if called is not None:
        _kill_after(seconds + 2)  # the parent kills at `seconds`, if it is still there
        reply = _reply(called.call, request["arguments"])
        _kill_after(0)
    _write(reply, replies)


def _reply(call: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        result = call(**arguments)
        text = json.dumps(result, allow_nan=False)
    except ToolError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "The computation needs too much memory."}
    except RecursionError:
        return {"error": "The computation is nested too deeply."}
    except Exception as error:
        # Libraries raise anything for input that they cannot handle: it must not end the worker.
        return {"error": f"It could not be computed ({type(error).__name__}: {str(error)[:200]})."}
    if len(text) > MAX_REPLY_CHARACTERS:
        return {"error": f"The result has {len(text)} characters: too long to show."}
    return {"result": result}


def _write(reply: dict[str, Any], replies: TextIO) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


def _import(libraries: list[str] | tuple[str, ...]) -> None:
    for library in LIBRARIES.intersection(libraries):
        importlib.import_module(library)


def _limit_memory(memory_bytes: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _kill_after(seconds: float) -> None:
    """Let the system end this process after a time, even inside a C function; 0 calls it off."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, math.ceil(seconds))


if __name__ == "__main__":
    main()
