"""Journeys through the page in a real browser: asking, watching, going back, and having it otherwise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from tests.app.server.page.acts import BREAD, CUBE, ask, pill, ready, thread
from tests.app.server.page.conftest import Open
from tests.loopback import ChatServer

LESSON = """\
The **power rule**: $\\frac{d}{dx}x^n = n x^{n-1}$, so
\\[ f'(2) = 12 \\]

| x | slope |
|--:|:-:|
| 2 | 12 |

```python
print(3 * 2**2)
```
"""


def words(text: str) -> list[str]:
    """As a model sends them."""
    return re.findall(r"\s*\S+|\s+$", text)


def test_an_answer_is_shown_as_it_was_meant_and_the_graph_as_it_was_walked(
    open_page: Open, url: str, chat: ChatServer
) -> None:
    chat.words = words(LESSON)
    page = open_page(url)
    ready(page)
    answer = ask(page, BREAD)
    expect(answer.locator("strong")).to_have_text("power rule")
    expect(answer.locator("math mfrac")).to_have_count(1)
    expect(answer.locator('math[display="block"]')).to_have_count(1)
    expect(answer.locator("td")).to_have_text(["2", "12"])
    expect(answer.locator("pre code")).to_have_text("print(3 * 2**2)\n")
    expect(answer.locator(".said")).not_to_contain_text("$")
    # Seven tokens of the question at $1000 for a million, and one for each word of the answer at $2000.
    cost = f"${(7 * 1000 + len(chat.words) * 2000) / 1e6:.2f}"
    hop = answer.locator(".hop")
    expect(hop.locator("summary").first).to_contain_text(re.compile(r"chief → <nexa_0>cooking.*\d s"))
    expect(hop.locator(".cost")).to_have_text(cost)
    expect(answer.locator("footer")).to_contain_text(re.compile(r"1 hop, \d+\.\d\d s · \d+ tokens"))
    expect(pill(page, "cooking")).to_have_class(re.compile("answered"))
    expect(page.locator(".edge.done")).to_have_count(1)
    expect(page.locator("text.token.done")).to_have_text("<nexa_0>")
    expect(page.locator(".pill.worker .chance")).to_have_text(
        [re.compile(r"✓ >?\d\d %"), *2 * [re.compile("%")]]
    )
    hop.locator("summary").first.click()
    expect(hop.locator(".choices li")).to_have_count(3)
    expect(hop.locator("dl")).to_contain_text(BREAD)


def test_a_compound_question_lights_two_workers_and_says_which_query_each_got(
    open_page: Open, url: str, chat: ChatServer
) -> None:
    page = open_page(url)
    ready(page)
    answer = ask(page, f"{CUBE} {BREAD}")
    expect(answer.locator(".hop")).to_have_count(2)
    expect(page.locator(".pill.answered")).to_have_count(2)
    expect(page.locator(".edge.done")).to_have_count(2)
    maths = answer.locator(".hop").filter(has=page.locator("b", has_text="maths"))
    maths.locator("summary").first.click()
    expect(maths).to_contain_text("calculus.derivative(expression=x^3, at=2)")
    expect(maths).to_contain_text("1 of 2")
    expect(answer.locator("footer")).to_contain_text("2 hops")


def test_the_list_of_threads_opens_exports_and_deletes(open_page: Open, url: str, tmp_path: Path) -> None:
    page = open_page(url)
    ready(page)
    ask(page, CUBE)
    ask(page, "And its second derivative?")
    first = thread(page)
    page.click("#new")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#question")).to_be_focused()
    ask(page, BREAD)
    listed = page.locator(f'#threads li[data-id="{first}"]')
    listed.locator(".open").click()
    expect(page.locator(".question")).to_have_text([CUBE, "And its second derivative?"])
    expect(page.locator(".hop")).to_have_count(2)
    expect(listed.locator(".open")).to_have_attribute("aria-current", "true")
    expect(pill(page, "maths")).to_have_class(re.compile("answered"))
    with page.expect_download() as download:
        listed.get_by_role("button", name="Export").click()
    download.value.save_as(tmp_path / "thread.jsonl")
    assert json.loads((tmp_path / "thread.jsonl").read_text().splitlines()[0])["thread_id"] == first
    # The address alone finds the thread again.
    page.reload()
    expect(page.locator(".question")).to_have_count(2)
    listed.get_by_role("button", name="Delete").click()
    expect(listed).to_have_count(1)
    listed.get_by_role("button", name="Really delete").click()
    expect(listed).to_have_count(0)
    expect(page.locator(".turn")).to_have_count(0)


def test_what_would_another_node_have_said(open_page: Open, url: str) -> None:
    page = open_page(url)
    ready(page)
    ask(page, BREAD)
    ask(page, CUBE)
    before = thread(page)
    answer = page.locator(".answer").last
    answer.locator(".hop summary").first.click()
    answer.get_by_label("Another node").select_option("garden")
    answer.get_by_role("button", name="have said?").click()
    expect(page.locator(".answer").last.locator(".hop b").first).to_have_text("garden")
    expect(page.locator("#send")).to_be_visible()
    # The fork has the turn before, then the same question, asked of the other node.
    expect(page.locator(".question")).to_have_text([BREAD, CUBE])
    expect(page.locator(".answer").last).to_contain_text("asked of priced/garden")
    expect(page.locator(".answer").last.locator(".said")).to_have_text("Forty-two.")
    assert thread(page) != before
    old = httpx.get(f"{url}/threads/{before}", trust_env=False).json()
    assert old["messages"][-1]["content"].startswith("12")
    # The same from the drawing.
    pill(page, "cooking").click()
    page.get_by_role("button", name="What would cooking have said?").click()
    expect(page.locator(".answer").last).to_contain_text("asked of priced/cooking")
    expect(page.locator(".question")).to_have_count(2)


def test_a_fork_from_a_hop_does_only_that_hop_again(open_page: Open, url: str, chat: ChatServer) -> None:
    page = open_page(url)
    ready(page)
    ask(page, BREAD)
    ask(page, "How do I bake a cake?")
    first = thread(page)
    chat.words = ["Another", " answer."]
    asked = len(chat.requests)
    answer = page.locator(".answer").first
    answer.locator(".hop summary").first.click()
    answer.get_by_role("button", name="Fork and run again from here").click()
    expect(page.locator(".question")).to_have_text([BREAD])
    expect(page.locator(".said")).to_have_text("Another answer.")
    assert len(chat.requests) == asked + 1
    assert thread(page) != first
    expect(page.locator("#threads li")).not_to_have_count(0)
    # Before the turn, to ask otherwise.
    page.get_by_role("button", name="Ask otherwise in a fork").click()
    expect(page.locator("#question")).to_have_value(BREAD)
    expect(page.locator(".turn")).to_have_count(0)


def test_feedback_reaches_the_rows_that_train_a_router(open_page: Open, url: str) -> None:
    page = open_page(url)
    ready(page)
    answer = ask(page, "How do I grow bread?")
    chosen = answer.locator(".hop b").first.inner_text()
    answer.locator(".hop summary").first.click()
    answer.get_by_role("button", name="was the wrong node").click()
    answer.locator(".right select").select_option("garden")
    expect(page.locator("#status")).to_have_text("Kept, thank you.")
    down = answer.get_by_role("button", name="was the wrong node")
    expect(down).to_have_attribute("aria-pressed", "true")

    def rows() -> list[dict[str, str]]:
        text = httpx.get(f"{url}/feedback", params={"training": True}, trust_env=False).text
        found = [json.loads(line) for line in text.splitlines()]
        return [row for row in found if row["thread"] == thread(page)]

    page.wait_for_timeout(200)
    (row,) = rows()
    assert (row["query"], row["chosen"], row["node"]) == ("How do I grow bread?", chosen, "garden")
    answer.get_by_role("button", name="was the right node").click()
    expect(down).to_have_attribute("aria-pressed", "false")
    assert [row["node"] for row in rows()] == [chosen]


def test_reflection_shows_its_rounds(open_page: Open, url: str) -> None:
    page = open_page(url)
    ready(page)
    page.get_by_label("Reflection").select_option("basic")
    answer = ask(page, BREAD)
    answer.locator(".hop summary").first.click()
    expect(answer.locator(".rounds")).to_contain_text("Reflection: basic")
    expect(answer.locator(".rounds > ol > li").first).to_contain_text("tokens so far")
    answer.locator(".rounds summary").first.click()
    expect(answer.locator(".draft").first).to_be_visible()


def everything_is_readable(page: Page) -> None:
    """No pill on another, no text out of its pill, the size of text as everywhere, all within the width."""
    faults = page.evaluate((Path(__file__).parent / "crowded.js").read_text())
    assert faults == []


def test_three_nodes_and_three_hundred_can_be_read_at_any_width(open_page: Open, url: str) -> None:
    page = open_page(url)
    for width in (1920, 1280, 800, 360):
        page.set_viewport_size({"width": width, "height": 800})
        if width < 760:
            page.get_by_role("button", name="Graph", exact=True).click()
        for model, nodes in {"tiny": 3, "priced": 4, "large": 300, "teams": 300}.items():
            ready(page, model)
            expect(page.locator(".pill")).to_have_count(nodes)
            expect(page.locator("text.token:not(.far)")).to_have_count(nodes - 1)
            page.wait_for_timeout(100)  # for the drawing to take its new width
            everything_is_readable(page)


def test_of_three_hundred_nodes_the_chosen_one_is_brought_into_sight(open_page: Open, url: str) -> None:
    page = open_page(url)
    ready(page, "large")
    answer = ask(page, "Do task 212 with tool_212_search, please.")
    name = answer.locator(".hop b").first.inner_text()
    expect(pill(page, name)).to_be_in_viewport()
    everything_is_readable(page)
    page.get_by_label("Find").fill("tool_299")
    page.get_by_label("Find").fill("tool_7_")
    expect(page.locator(".pill:not(.dim)")).to_have_count(1)
    expect(pill(page, "tool_7_convert")).to_be_in_viewport()
    ready(page, "teams")
    answer = ask(page, "Do what team5_member7 does.")
    name = answer.locator(".hop b").last.inner_text()
    # Lit from the root to the worker.
    expect(page.locator(".edge.done")).to_have_count(2)
    expect(pill(page, name)).to_be_in_viewport()
    # The decision of the root is on the path too.
    expect(answer.locator(".hop")).to_have_count(2)
    expect(answer.locator(".hop").first).to_contain_text("root → ")
