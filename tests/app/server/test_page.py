"""What the page is made of: its files, the graphs to draw, and the turns of a thread."""

from __future__ import annotations

import re
from pathlib import Path

from tests.app.server.live import Live

WEB = Path("app/server/web")


def test_the_page_may_load_and_reach_only_its_own_server(live: Live) -> None:
    with live.http(None) as client:
        for path in ("/", "/web/main.js", "/web/style.css", "/web/octopus.svg"):
            reply = client.get(path)
            assert reply.status_code == 200
            policy = reply.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
            assert "require-trusted-types-for 'script'" in policy and "frame-ancestors 'none'" in policy
            assert reply.headers["x-content-type-options"] == "nosniff"
            again = client.get(path, headers={"If-None-Match": reply.headers["etag"]})
            assert again.status_code in (200, 304)
        for path in ("/web/nothing.js", "/web/../pyproject.toml", "/web/%2e%2e/page.py", "/web//etc/passwd"):
            assert client.get(path).status_code in (401, 404), path
        assert client.post("/render", json={"text": "x"}).status_code == 401


def test_the_page_names_no_other_place() -> None:
    for file in WEB.iterdir():
        places = re.findall(r"https?://[^\s\"')]+", file.read_text())
        assert set(places) <= {"http://www.w3.org/2000/svg"}, file
    named = re.findall(r'(?:src|href)="(/[^"]*)"', (WEB / "index.html").read_text())
    imported = {
        name for file in WEB.glob("*.js") for name in re.findall(r'from "\./(\S+)";', file.read_text())
    }
    assert {Path(name).name for name in named} | imported == {
        file.name for file in WEB.iterdir() if file.name != "index.html"
    }


def test_markdown_is_rendered_within_bounds(live: Live) -> None:
    with live.http() as client:
        reply = client.post("/render", json={"text": "*b*\n\nc"})
        assert reply.json()["blocks"][1] == {"html": "<p>c</p>\n", "line": 2}
        assert client.post("/render", json={"text": "x" * 32_000}).status_code == 200
        assert client.post("/render", json={"text": "x" * 32_001}).status_code == 400
