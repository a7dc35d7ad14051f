"""Journeys through the page on a phone, in the dark, without a mouse, and without eyes."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.app.server.page.acts import BREAD, CUBE, ask, pill, ready
from tests.app.server.page.conftest import Open
from tests.loopback import ChatServer

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

# Of all text that is to be seen: its contrast with what is behind it, after WCAG 2.2, where it is too low.
FAINT = (Path(__file__).parent / "faint.js").read_text()


def nothing_sticks_out(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    out = """[...document.querySelectorAll('button, select, textarea, input, summary, .answer, .hop')]
      .map((e) => [e, e.getBoundingClientRect()])
      .filter(([e, box]) => e.checkVisibility() && box.width && (box.left < 0 || box.right > innerWidth))
      .map(([e]) => e.outerHTML.slice(0, 80))"""
    assert page.evaluate(out) == []


def test_on_a_phone_each_view_fills_the_screen(open_page: Open, url: str, chat: ChatServer) -> None:
    long = "averyveryveryverylongwordwithoutanyspaces" * 3
    chat.words = [
        f"See {long}\n\n| a | b | c |\n|---|---|---|\n| {long} | {long} | 3 |\n\n$$ {'x + ' * 60} y $$"
    ]
    page = open_page(url, **PHONE)
    ready(page)
    nothing_sticks_out(page)
    answer = ask(page, f"{BREAD} {CUBE}")
    for number in range(answer.locator(".hop").count()):
        answer.locator(".hop > details > summary").nth(number).click()
    nothing_sticks_out(page)
    expect(page.locator("#graph")).to_be_hidden()
    page.get_by_role("button", name="Graph", exact=True).click()
    expect(page.locator("#chat")).to_be_hidden()
    expect(pill(page, "cooking")).to_have_class(re.compile("answered"))
    pill(page, "garden").tap()
    page.get_by_role("button", name="What would garden have said?").click()
    expect(page.locator("#chat")).to_be_visible()
    expect(page.locator(".answer").last).to_contain_text("asked of priced/garden")
    page.get_by_role("button", name="Threads", exact=True).click()
    nothing_sticks_out(page)
    page.locator("#threads .open").first.click()
    expect(page.locator("#chat")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_the_light_and_in_the_dark(
    open_page: Open, url: str, chat: ChatServer, scheme: str
) -> None:
    chat.words = ["A [link](https://example.org), `code`, and\n\n> a quotation\n\n```\nx\n```"]
    page = open_page(url, color_scheme=scheme, reduced_motion="reduce")
    ready(page)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 60")
    assert dark == (scheme == "dark")
    answer = ask(page, BREAD)
    answer.locator(".hop summary").first.click()
    pill(page, "garden").click()
    assert page.evaluate(FAINT) == []
    page.wait_for_timeout(50)
    running = "document.getAnimations().filter((a) => a.playState === 'running').length"
    assert page.evaluate(running) == 0  # as reduced motion wants it


def test_everything_can_be_done_with_the_keyboard(open_page: Open, url: str) -> None:
    page = open_page(url)
    ready(page)
    press = page.keyboard.press
    page.evaluate("document.activeElement.blur()")
    press("Tab")
    expect(page.get_by_text("Skip to the question")).to_be_focused()
    expect(page.get_by_text("Skip to the question")).to_be_in_viewport()
    press("Enter")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type(BREAD)
    press("Shift+Enter")
    page.keyboard.type("Please.")
    press("Enter")
    expect(page.locator(".question")).to_have_text(f"{BREAD}\nPlease.")
    expect(page.locator(".answer")).to_have_attribute("aria-busy", "false")
    tab_to(page, ".hop summary", back=True)
    press("Enter")
    expect(page.locator(".hop details").first).to_have_attribute("open", "")
    tab_to(page, '.actions [aria-label$="right node"]')
    press("Space")
    expect(page.locator('.actions [aria-label$="right node"]')).to_have_attribute("aria-pressed", "true")
    tab_to(page, '[aria-label="Another node"]')
    page.keyboard.type("gar")
    press("Tab")
    press("Enter")
    expect(page.locator(".answer").last).to_contain_text("asked of priced/garden")
    expect(page.locator("#send")).to_be_visible()
    # The drawing is one stop; arrows move in it.
    tab_to(page, ".pill")
    expect(pill(page, "chief")).to_be_focused()
    press("ArrowRight")
    expect(pill(page, "maths")).to_be_focused()
    press("ArrowDown")
    expect(pill(page, "garden")).to_be_focused()
    press("Home")
    press("End")
    expect(pill(page, "garden")).to_be_focused()
    press("Enter")
    tab_to(page, "#graph .node button")
    press("Enter")
    expect(page.locator("#model")).to_have_value("priced/garden")
    tab_to(page, "#threads .open", back=True)
    press("Enter")
    expect(page.locator("#messages")).to_be_focused()


def tab_to(page: Page, selector: str, *, back: bool = False) -> None:
    """Press Tab until the focus is there."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_a_screen_reader_is_told_what_is_there_and_what_happens(open_page: Open, url: str) -> None:
    page = open_page(url)
    ready(page)
    for role, name in {
        "banner": None,
        "main": "Conversation",
        "navigation": "Threads",
        "complementary": "Graph",
        "status": None,
        "alert": None,
    }.items():
        expect(page.get_by_role(role, name=name)).to_be_attached()  # type: ignore[arg-type]
    expect(page.get_by_role("heading", level=1)).to_have_text("Octopus Graph")
    page.evaluate(
        """() => { window.said = []; new MutationObserver(() =>
        said.push(document.querySelector('#status').textContent)).observe(
        document.querySelector('#status'), {childList: true}); }"""
    )
    answer = ask(page, BREAD)
    said = page.evaluate("said")
    assert said == ["chief chose cooking.", "Answer: Forty-two."]
    answer.locator(".hop summary").first.click()
    expect(page.get_by_role("article", name="You")).to_have_text(BREAD)
    expect(page.get_by_role("article", name="Answer")).to_contain_text("Forty-two.")
    expect(page.get_by_role("button", name="cooking, worker, answered, >99 %")).to_be_attached()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    nameless = """[...document.querySelectorAll('button, select, input, textarea, a[href]')].filter((e) =>
      !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).map((e) => e.outerHTML)"""
    assert page.evaluate(nameless) == []
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))
