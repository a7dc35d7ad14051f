"""Journeys through the page where something is wrong: the worker, the network, the model's words, the key."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from app.server.settings import ServerSettings
from tests.app.server.live import eventually, keyring, running
from tests.app.server.page.acts import BREAD, CUBE, ask, pill, ready, thread
from tests.app.server.page.conftest import Open
from tests.app.server.page.graphs import written
from tests.app.server.page.wire import wired
from tests.app.server.test_shutdown import process
from tests.loopback import ChatServer, free_port
from tests.slow_model import SlowModel, check_stopped
from tests.slow_model import serving as serving_slow

LONG = [f"word{k} " for k in range(60)]
HOSTILE = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "<svg onload='window.hit = 1'></svg>",
    "<iframe srcdoc='<script>parent.hit = 1</script>'></iframe>",
    "<style>body { display: none }</style>",
    "[a](javascript:window.hit=1) [b](JaVaScRiPt:window.hit=1) [c](data:text/html,<script>1</script>)",
    "![i](https://example.org/pixel.png) ![j](//example.org/pixel.png)",
    '[d](https://example.org/" onmouseover="window.hit=1)',
    "$\\href{javascript:window.hit=1}{x}$ $\\text{</mtext><script>window.hit=1</script>}$",
    "$\\style{x:url(/v1)}{y}$",
    "`<script>window.hit = 1</script>`",
    '```"><script>window.hit = 1</script>\nx\n```',
    "<nexa_1> </div></li></ol><form action=https://example.org><button>Send</button></form>",
]


def test_a_dead_worker_is_named_and_asked_again_when_it_lives(
    open_page: Open, chat: ChatServer, tmp_path: Path
) -> None:
    given = {"OCTOPUS_HOME": str(tmp_path), "OCTOPUS_MODEL": f"openai:tiny@http://127.0.0.1:{free_port()}/v1"}
    with running(ServerSettings.read(given, graphs=written(tmp_path)[:1])) as url:
        page = open_page(url, refused="/threads")  # the list, when the server ends
        ready(page)
        answer = ask(page, BREAD)
        expect(answer.locator(".hop .state")).to_have_text("✗ unavailable")
        expect(pill(page, "cooking")).to_have_class(re.compile("unavailable"))
        expect(answer.locator(".failure")).to_have_text(re.compile("cannot be reached"))
        expect(answer.locator("footer")).to_contain_text("No answer")
        answer.get_by_role("button", name="Try again").click()
        expect(answer.get_by_role("button", name="Try again")).to_be_visible()
        expect(page.locator(".failure")).to_have_count(1)
        # Another node can still answer.
        ask(page, CUBE)
        expect(page.locator(".said").last).to_contain_text("12")
        page.locator(".answer").first.locator(".hop summary").first.click()
        with_model = {**given, "OCTOPUS_MODEL": f"openai:tiny@{chat.url}"}
    with running(ServerSettings.read(with_model, graphs=written(tmp_path)[:1])) as url:
        page.goto(f"{url}/#thread={thread(page)}")
        answer = page.locator(".answer").first
        expect(answer.locator(".failure")).to_have_text(re.compile("cannot be reached"))
        answer.locator(".hop summary").first.click()
        answer.get_by_role("button", name="Fork and run again from here").click()
        expect(page.locator(".question")).to_have_text([BREAD])
        expect(page.locator(".said")).to_have_text("Forty-two.")


def test_a_slow_answer_appears_word_by_word_and_can_be_stopped(
    open_page: Open, url: str, chat: ChatServer
) -> None:
    chat.words, chat.pace = ["**Slow** ", *LONG], 0.1
    page = open_page(url)
    ready(page)
    answer = ask(page, BREAD, wait=False)
    expect(answer.locator(".said")).to_contain_text("word3")
    expect(answer.locator("strong")).to_have_text("Slow")  # rendered while it is written
    expect(answer).to_have_attribute("aria-busy", "true")
    expect(pill(page, "cooking")).to_have_class(re.compile("chosen"))
    expect(answer.locator(".hop .time")).to_have_text(re.compile(r"\d s …"))
    seen = set()
    for _ in range(8):
        page.wait_for_timeout(100)
        seen.add(len(answer.locator(".said").inner_text()))
    assert len(seen) >= 5
    page.click("#stop")
    expect(answer.locator("footer")).to_contain_text("Stopped")
    expect(page.locator("#send")).to_be_visible()
    assert "word59" not in answer.locator(".said").inner_text()
    chat.pace = 0.0
    answer.get_by_role("button", name="Go on").click()
    expect(answer.locator(".said")).to_contain_text("word59")
    expect(page.locator(".question")).to_have_count(1)
    expect(answer.locator(".hop")).to_have_count(1)


@pytest.mark.parametrize("how", ["stop", "close", "another thread"])
def test_whoever_stops_or_leaves_the_page_stops_the_model(open_page: Open, tmp_path: Path, how: str) -> None:
    with serving_slow(SlowModel()) as model:
        given = {"OCTOPUS_HOME": str(tmp_path), "OCTOPUS_MODEL": f"openai:slow@{model.url}"}
        with running(ServerSettings.read(given, graphs=written(tmp_path)[:1])) as url:
            page = open_page(url, refused=r"/.*")  # the list, when the server ends
            ready(page)
            answer = ask(page, BREAD, wait=False)
            expect(answer.locator(".said")).to_contain_text("t3")
            (one,) = model.writing()
            at = time.monotonic()
            if how == "close":
                page.close()
            else:
                page.click("#stop" if how == "stop" else "#new")
            check_stopped([one], at)


def test_a_server_that_shuts_down_is_waited_for(open_page: Open, tmp_path: Path) -> None:
    with serving_slow(SlowModel()) as model:
        with process(tmp_path, model, OCTOPUS_GRACE="0") as (live, server):
            page = open_page(live.url, refused=r"/.*")
            ready(page, "house")
            answer = ask(page, BREAD, wait=False)
            expect(answer.locator(".said")).to_contain_text("t3")
            server.terminate()
            expect(page.locator("#notice")).to_contain_text("shutting down. Trying again in")
            assert server.wait(30) == 0
        model.length = 3
        with process(tmp_path, model, int(live.url.rpartition(":")[2])):
            expect(answer).to_have_attribute("aria-busy", "false")
            expect(answer.locator(".said")).to_have_text("t0 t1 t2")
            expect(page.locator(".question")).to_have_count(1)


def test_a_lost_connection_is_said_and_the_turn_goes_on_when_it_is_back(
    open_page: Open, url: str, chat: ChatServer
) -> None:
    chat.words, chat.pace = LONG, 0.1
    with wired(url) as wire:
        page = open_page(wire.url, refused=r"/.*")
        ready(page)
        answer = ask(page, BREAD, wait=False)
        expect(answer.locator(".said")).to_contain_text("word3")
        wire.cut()
        expect(page.locator("#notice")).to_contain_text(
            "The connection to the server is lost. Trying again in"
        )
        page.wait_for_timeout(1500)
        chat.pace = 0.0
        wire.mend()
        expect(answer.locator(".said")).to_contain_text("word59")
        expect(answer).to_have_attribute("aria-busy", "false")
        expect(page.locator("#notice")).to_be_empty()
        page.reload()
        expect(page.locator(".question")).to_have_text([BREAD])
        expect(page.locator(".said")).to_contain_text("word59")


def test_a_turn_that_ended_while_nobody_was_connected_is_not_asked_twice(
    open_page: Open, url: str, chat: ChatServer
) -> None:
    with wired(url) as wire:
        page = open_page(wire.url, refused=r"/.*")
        ready(page)
        ask(page, CUBE)
        chat.delay = 1.0  # so that the connection is lost before the answer is there
        answer = ask(page, BREAD, wait=False)
        wire.cut()
        expect(page.locator("#notice")).to_contain_text("Trying again")
        wire.mend()
        expect(answer.locator(".said")).to_have_text("Forty-two.")
        expect(answer).to_have_attribute("aria-busy", "false")
        page.reload()
        expect(page.locator(".question")).to_have_text([CUBE, BREAD])


def test_a_question_asked_while_the_list_of_threads_loads_is_left_as_it_is(open_page: Open, url: str) -> None:
    page = open_page(url)
    ready(page)
    held, read = list[Route](), list[str]()
    page.on("request", lambda request: read.append(urlsplit(request.url).path))
    page.route(re.compile(r"/threads\?"), lambda route: held.append(route))  # list.append itself is refused
    page.reload()
    ready(page)
    with page.expect_response("**/v1/chat/completions"):
        ask(page, CUBE, wait=False)
    expect(page).to_have_url(re.compile("#thread="))
    for route in held:
        route.continue_()
    page.unroute_all()
    expect(page.locator("#threads .open").first).to_have_text(CUBE)
    expect(page.locator(".said")).to_contain_text("12")
    assert f"/threads/{thread(page)}" not in read


@pytest.mark.parametrize("paced", [False, True])
def test_hostile_words_do_nothing(open_page: Open, url: str, chat: ChatServer, paced: bool) -> None:
    hostile = "\n\n".join(HOSTILE)
    chat.words, chat.pace = re.findall(r"\s*\S+", hostile), 0.005 * paced
    page = open_page(url)
    ready(page, "priced/cooking")
    answer = ask(page, f"How do I bake {' '.join(HOSTILE)}?")
    expect(answer.locator(".said")).to_contain_text("<script>window.hit = 1</script>")
    page.reload()
    expect(page.locator(".said")).to_contain_text("<script>window.hit = 1</script>")
    answer.locator(".hop summary").first.click()
    page.locator(".said a").first.hover()
    assert page.evaluate("window.hit") is None
    here = "#messages script, #messages img:not(#welcome img), #messages svg:not(.hand), #messages iframe"
    expect(
        page.locator(f"{here}, #messages form, #messages style, #threads img, #threads script")
    ).to_have_count(0)
    links = page.locator(".said a").evaluate_all("links => links.map((a) => [a.protocol, a.rel, a.target])")
    assert links and all(link[0] in ("https:", "http:") for link in links)
    assert all(link[1:] == ["noopener noreferrer nofollow", "_blank"] for link in links)
    handlers = "[...document.querySelectorAll('#messages *')].flatMap((e) => e.getAttributeNames())"
    assert not [name for name in page.evaluate(handlers) if name.startswith("on") or name == "style"]


def test_a_server_with_keys_asks_for_one_and_keeps_it_in_the_tab(
    open_page: Open, chat: ChatServer, tmp_path: Path
) -> None:
    keys, entries = keyring(alice="chat+threads", bob="chat+threads", chatter="chat")
    given = {
        "OCTOPUS_HOME": str(tmp_path),
        "OCTOPUS_API_KEYS": entries,
        "OCTOPUS_MODEL": f"openai:t@{chat.url}",
    }
    with running(ServerSettings.read(given, graphs=written(tmp_path)[:1])) as url:
        page = open_page(url, refused=r"/(graphs|threads).*")
        enter(page, "wrong")
        expect(page.locator("#key-why")).to_contain_text("The API key is missing or wrong.")
        enter(page, keys["alice"])
        ready(page)
        ask(page, BREAD)
        expect(page.locator("#threads .open")).to_have_text([BREAD])
        page.reload()
        expect(page.locator(".question")).to_have_text([BREAD])
        assert page.evaluate("[localStorage.length, document.cookie, sessionStorage.length]") == [0, "", 1]
        # Somebody else's key shows other threads, and nothing of this one.
        page.click("#key")
        enter(page, keys["bob"])
        expect(page.locator("#notice")).to_contain_text("There is no such thread.")
        expect(page.locator("#threads")).to_contain_text("None yet.")
        page.click("#key")
        enter(page, keys["chatter"])
        expect(page.locator("#threads")).to_contain_text("lacks the scope 'threads'")
        page.click("#new")
        expect(ask(page, CUBE).locator(".said")).to_contain_text("12")


def enter(page: Page, key: str) -> None:
    expect(page.locator("#key-dialog")).to_be_visible()
    page.get_by_label("Key", exact=True).fill(key)
    page.keyboard.press("Enter")


def test_a_refusal_is_shown_plainly_and_the_question_can_be_gone_on_with(
    open_page: Open, chat: ChatServer, tmp_path: Path
) -> None:
    given = {"OCTOPUS_HOME": str(tmp_path), "OCTOPUS_MESSAGE_CHARACTERS": "40"}
    with running(ServerSettings.read(given, graphs=written(tmp_path)[:1])) as url:
        page = open_page(url, refused="/v1/chat/completions")
        ready(page)
        answer = ask(page, "Why? " * 20)
        expect(page.locator("#notice")).to_contain_text("The question has more than 40 characters.")
        expect(answer.locator("footer")).to_contain_text("Not finished")
        page.get_by_role("button", name="Close").click()
        expect(page.locator("#notice")).to_be_empty()
        assert eventually(lambda: page.locator("#send").is_visible())
        expect(ask(page, CUBE).locator(".said")).to_contain_text("12")
