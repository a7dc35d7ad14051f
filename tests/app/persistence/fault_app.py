"""An application that kills itself: run by test_faults_application.py in a process of its own.

    python -m tests.app.persistence.fault_app URL LOG POINT NUMBER

POINT says where: `before-put`, `before-writes` before the NUMBER-th call, `in-socket` in the middle of
sending the NUMBER-th command, `in-worker` in worker NUMBER, `never`. LOG receives a line per node that ran,
and per write that Redis acknowledged.
"""

from __future__ import annotations

import operator
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from redis.connection import Connection
from typing_extensions import TypedDict

from app.persistence import RedisSaver

WORKERS = 4


class State(TypedDict):
    """What the workers found."""

    found: Annotated[list[str], operator.add]


class Part(TypedDict):
    """What a worker is given."""

    number: int


def build(saver: RedisSaver, log: Path, doomed: int | None = None) -> Any:
    """plan → workers in parallel → sum up; worker `doomed` kills the process."""

    def note(line: str) -> None:
        with log.open("a") as opened:
            opened.write(line + "\n")

    def plan(state: State) -> dict[str, Any]:
        note("ran plan")
        return {"found": ["plan"]}

    def work(state: Part) -> dict[str, Any]:
        if state["number"] == doomed:
            kill()
        note(f"ran work-{state['number']}")
        return {"found": [f"work-{state['number']}" + "x" * 300]}

    def sum_up(state: State) -> dict[str, Any]:
        note("ran sum")
        return {"found": [f"{len(state['found'])} parts"]}

    builder = StateGraph(State)
    builder.add_node("plan", plan)
    builder.add_node("work", work, input_schema=Part)
    builder.add_node("sum", sum_up)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda _: [Send("work", Part(number=i)) for i in range(WORKERS)])
    builder.add_edge("work", "sum")
    builder.add_edge("sum", END)
    return builder.compile(checkpointer=saver)


def kill() -> None:
    """As `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def kill_before(saver: RedisSaver, method: str, number: int) -> None:
    """At the given call of a method."""
    original, calls = getattr(saver, method), 0

    def doomed(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            kill()
        return original(*args, **kwargs)

    setattr(saver, method, doomed)


def kill_in_socket(number: int) -> None:
    """After half of the bytes of the given command."""
    original, calls = Connection.send_packed_command, 0

    def doomed(self: Any, command: Any, check_health: bool = True) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            data = b"".join(command if isinstance(command, list) else [command])
            self._sock.sendall(data[: len(data) // 2])
            kill()
        return original(self, command, check_health)  # type: ignore[no-untyped-call]

    Connection.send_packed_command = doomed  # type: ignore[method-assign]


def note_acknowledged(saver: RedisSaver, log: Path) -> None:
    """A line per worker whose writes are in Redis."""
    original = saver.put_writes

    def noted(config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        original(config, writes, task_id, task_path)
        for channel, value in writes:
            if channel == "found" and value:
                with log.open("a") as opened:
                    opened.write(f"acknowledged {value[0].rstrip('x')}\n")

    saver.put_writes = noted  # type: ignore[method-assign]


def main() -> None:
    """Run the graph once."""
    url, log, point, number = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    with RedisSaver.from_url(url) as saver:
        note_acknowledged(saver, log)
        if point == "before-put":
            kill_before(saver, "put", number)
        elif point == "before-writes":
            kill_before(saver, "put_writes", number)
        elif point == "in-socket":
            saver.get_tuple({"configurable": {"thread_id": "connect"}})
            kill_in_socket(number)
        graph = build(saver, log, number if point == "in-worker" else None)
        graph.invoke({"found": []}, {"configurable": {"thread_id": "run"}}, durability="sync")


if __name__ == "__main__":
    main()
