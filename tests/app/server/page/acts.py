"""What a person does on the page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

BREAD = "How do I bake bread?"
CUBE = "What is the derivative of x^3 at x = 2?"


def ready(page: Page, model: str = "priced") -> None:
    """Wait for the graphs, and choose one."""
    expect(page.locator("#model option").first).to_be_attached()
    page.select_option("#model", model)


def ask(page: Page, question: str, *, wait: bool = True) -> Locator:
    """Ask; the answer, finished unless nobody is to `wait`."""
    page.fill("#question", question)
    page.click("#send")
    answer = page.locator(".answer").last
    if wait:
        expect(page.locator("#send")).to_be_visible()
        expect(answer).to_have_attribute("aria-busy", "false")
    return answer


def pill(page: Page, name: str) -> Locator:
    """A node of the drawing."""
    return page.locator(f'.pill[aria-label^="{name},"]')


def thread(page: Page) -> str:
    """The id of the thread that is open, from the address."""
    return page.url.partition("#thread=")[2]
