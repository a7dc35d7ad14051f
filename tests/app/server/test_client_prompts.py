"""Prompts that chat pages send for themselves, as several pages word them, and people's like them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from app.server.client_prompts import is_of_client
from tests.app.server.live import BREAD, CUBE, HOUSE, Live, serving
from tests.loopback import ChatServer

TALK = f"User: {CUBE}\n\nAssistant: 12"


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def system(text: str) -> dict[str, str]:
    return {"role": "system", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def task(wanted: str, keys: str) -> list[dict[str, str]]:
    """A task of Open WebUI."""
    text = f"### Task:\n{wanted}\n### Guidelines:\n- Be accurate.\n### Output:\nJSON format: {keys}\n"
    return [user(f"{text}### Chat History:\n<chat_history>\nUSER: {CUBE}\nASSISTANT: 12\n</chat_history>")]


PROMPTS: dict[str, list[dict[str, str]]] = {
    "open-webui-title": task("Generate a concise, 3-5 word title with an emoji.", '{ "title": "…" }'),
    "open-webui-tags": task("Generate 1-3 broad tags and 1-3 subtopic tags.", '{ "tags": ["…"] }'),
    "open-webui-follow-ups": task("Suggest 3-5 relevant follow-up questions.", '{ "follow_ups": ["…"] }'),
    "open-webui-queries": task("Determine whether search queries are needed.", '{ "queries": ["…"] }'),
    "open-webui-own-words": task("Gib dem Gespräch einen Namen.", '{ "title": "…" }'),
    "open-webui-completion": [
        user(
            "### Task:\nYou are an autocompletion system. Continue the text in `<text>`.\n### Context:\n"
            f"<chat_history>\nUSER: {CUBE}\n</chat_history>\n<type>General</type>\n<text>What is the</text>"
        )
    ],
    "librechat-completion": [
        user(
            "Provide a concise, 5-word-or-less title for the conversation, using its same language, with no "
            f"punctuation. Only return the title itself.\n\nConversation:\n{TALK}"
        )
    ],
    "librechat-structured": [
        user(
            "Analyze this conversation and provide:\n1. The detected language\n2. A concise title in it (5 "
            f"words or less, no quotation)\n\n{TALK}"
        )
    ],
    "lobechat": [
        system(
            "You summarize conversations. Generate a concise title that captures the essence of the "
            "conversation.\n\nRules:\n- Output ONLY the title text\n- Use the locale en-US"
        ),
        user(f"user: {CUBE}\nassistant: 12"),
    ],
    "jan": [user(f'Summarize in a 10-word Title. Give the title only. "{CUBE}"')],
    "jan-message": [user(f"Summarize in a 10-word Title. Give the title only. Here is the message: {CUBE}")],
    "nextchat": [
        user(CUBE),
        assistant("12"),
        user(
            "Please generate a four to five word title summarizing our conversation without any lead-in, "
            "punctuation or additional text."
        ),
    ],
    "nextchat-zh": [
        user(CUBE),
        assistant("12"),
        user("使用四到五个字直接返回这句话的简要主题，不要解释、不要标点"),
    ],
    "goose": [
        system(
            "Generate a short title (four words or less) that describes the topic of the user's messages.\n"
            "Reply with only the title, nothing else."
        ),
        user(f"---BEGIN USER MESSAGES---\n{CUBE}\n---END USER MESSAGES---\n\nGenerate a short title."),
    ],
    "cherry-studio": [
        system(
            "You are skilled in conversation. Summarize the user's conversation into a title within 10 "
            "words, in the user's language. Do not use punctuation."
        ),
        user(f'[{{"role": "user", "content": "{CUBE}"}}]'),
    ],
    "cherry-studio-zh": [
        system("你需要将用户的会话总结为 10 个字以内的标题，不要使用标点符号"),
        user(CUBE),
    ],
    "chatbox": [
        user(
            "Based on the chat history, give this conversation a name. Keep it short: 10 characters max, no "
            f"quotes. Just the name, nothing else.\n\n```\n{CUBE}\n\n---------\n\n12\n```"
        )
    ],
    "vercel": [
        system(
            "- you will generate a short title based on the first message a user begins a conversation with\n"
            "- ensure it is not more than 80 characters long"
        ),
        user(CUBE),
    ],
}

PEOPLE: dict[str, list[dict[str, str]]] = {
    "essay": [user("Suggest a title for my essay about the French Revolution, five words or less.")],
    "only-the-title": [user("Give me only the title of a song about conversation, nothing else")],
    "this-chat": [user("what would be a good title for this conversation?")],
    "after-talk": [user(CUBE), assistant("12"), user("Please find a title summarizing our conversation.")],
    "tags": [user("Generate 1-3 broad tags for my photo of a dog")],
    "follow-ups": [user("Suggest 3-5 relevant follow-up questions for a job interview")],
    "task": [user(f"### Task:\n{CUBE}")],
    "documents": [
        user(
            "### Task:\nRespond to the user query using the provided context, with citations.\n<context>\n"
            "<source id=1>We talked of <chat_history>old</chat_history>.</source>\n</context>\n"
            f"<user_query>{CUBE}</user_query>"
        )
    ],
    "about-a-prompt": [
        user("Why does '### Task: Generate a 3-5 word title' give no <chat_history>x</chat_history>?")
    ],
    "writer": [
        system("You write articles. In this chat, begin each with a title of five words. Do not use emojis."),
        user(BREAD),
    ],
    "job-title": [system("Your job title is cook; chat about food, in 50 words."), user(BREAD)],
    "job-title-of": [
        system("Your job title is cook, and you chat of food with the user, in 50 words."),
        user(BREAD),
    ],
    "transcript": [user(f"Who is right here?\n{TALK}")],
}


@pytest.mark.parametrize("name", PROMPTS)
def test_a_pages_own_prompt_goes_to_the_generalists_model(live: Live, chat: ChatServer, name: str) -> None:
    chat.words = ["Cubes", " and", " slopes"]
    sent = PROMPTS[name]
    routes, tokens = live.metric("octopus_routes_total"), live.metric("octopus_tokens_total")
    with live.http() as client:
        body = {"model": "house", "messages": sent}
        reply = client.post(
            "/v1/chat/completions", json=body, headers={"X-Octopus-Thread": f"own-{name}"}
        ).json()
        kept = client.get(f"/threads/own-{name}").status_code
    assert reply["choices"][0]["message"]["content"] == "Cubes and slopes"
    assert (reply["octopus"]["path"], reply["octopus"]["hops"]) == ([], [])
    assert (reply["octopus"]["thread"], kept) == (None, 404)
    assert reply["usage"]["total_tokens"] == 10
    assert live.metric("octopus_routes_total") == routes
    assert live.metric("octopus_tokens_total") == tokens + 10
    ((_, asked),) = chat.requests
    assert [(one["role"], one["content"]) for one in asked["messages"]] == [
        (one["role"], one["content"]) for one in sent
    ]


@pytest.mark.parametrize("name", PEOPLE)
def test_a_person_who_asks_alike_is_routed(live: Live, chat: ChatServer, name: str) -> None:
    with live.http() as client:
        reply = client.post("/v1/chat/completions", json={"model": "house", "messages": PEOPLE[name]}).json()
    assert reply["octopus"]["hops"]


@pytest.mark.parametrize(
    ("said", "hops"), [("title_generation", 0), ("default", 1), ("", 1), ("{{TASK}}", 1)]
)
def test_open_webui_may_say_it_in_a_header(live: Live, chat: ChatServer, said: str, hops: int) -> None:
    body = {"model": "house", "messages": [user("Ein Name für das Gespräch: " + TALK)]}
    with live.http() as client:
        reply = client.post("/v1/chat/completions", json=body, headers={"X-OpenWebUI-Task": said}).json()
    assert len(reply["octopus"]["hops"]) == hops


def test_it_is_streamed_and_answered_by_responses_too(live: Live, chat: ChatServer) -> None:
    chat.words = ["Cubes"]
    prompt: Any = PROMPTS["open-webui-title"][0]
    with live.openai() as client:
        stream = client.chat.completions.create(model="house", messages=[prompt], stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        told: Any = client.responses.create(model="house", input=prompt["content"])
        events = list(client.responses.create(model="house", input=prompt["content"], stream=True))
    assert text == "Cubes"
    assert (told.output_text, told.octopus["hops"], told.store) == ("Cubes", [], False)
    assert (told.usage.input_tokens, told.usage.output_tokens) == (7, 1)
    assert events[-1].type == "response.completed"
    assert len(chat.requests) == 3


def test_who_offers_tools_is_no_page(live: Live, chat: ChatServer) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    answer = live.ask("", messages=PROMPTS["jan"], tools=[tool])
    assert len(answer["octopus"]["hops"]) == 1


def test_the_thread_stays_as_it_was(live: Live, chat: ChatServer) -> None:
    live.ask(CUBE, thread="titled")
    with live.http() as client:
        before = [client.get(f"/threads/titled{part}").json() for part in ("", "/history")]
        for name in ("open-webui-title", "open-webui-follow-ups", "jan"):
            live.ask(PROMPTS[name][0]["content"], thread="titled")
        after = [client.get(f"/threads/titled{part}").json() for part in ("", "/history")]
    assert after == before
    assert len(chat.requests) == 3


def test_whose_model_answers(chat: ChatServer, tmp_path: Path) -> None:
    def named(name: str) -> str:
        return f"model: 'openai:{name}@{chat.url}', "

    graph = HOUSE.replace("cooking: {d", f"cooking: {{{named('cook')}d")
    title = PROMPTS["open-webui-title"][0]["content"]
    with serving(tmp_path, graph, OCTOPUS_MODEL=f"openai:general@{chat.url}") as live:
        live.ask(title)
        live.ask(title, model="house/maths")
    without = tmp_path / "without"
    without.mkdir()
    with serving(
        without, graph.replace(", generalist: cooking", ""), OCTOPUS_MODEL=f"openai:g@{chat.url}"
    ) as live:
        live.ask(title)
    assert [body["model"] for _, body in chat.requests] == ["cook", "general", "g"]


@pytest.fixture(scope="module")
def modelless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("modelless")) as live:
        yield live


@pytest.mark.parametrize("stream", [True, False])
def test_without_a_model_it_is_refused_by_name(modelless: Live, stream: bool) -> None:
    body = {"model": "house", "messages": PROMPTS["open-webui-title"], "stream": stream}
    with modelless.http() as client:
        reply = client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 503
    assert reply.json()["error"]["code"] == "no_model"
    assert "a prompt of a chat page" in reply.json()["error"]["message"]
    assert modelless.metric("octopus_routes_total") == 0


def test_a_model_that_fails_is_an_error_too(live: Live, chat: ChatServer) -> None:
    chat.statuses = [400]
    answer = live.ask(PROMPTS["jan"][0]["content"])
    assert answer["error"]["code"] == "server_error"
    assert "scripted" not in str(answer)


def test_long_texts_are_looked_through_at_once() -> None:
    for text in (
        "\n" * 30_000,
        "<chat_history>" * 2_000,
        "title " * 5_000,
        "### Task:" + "#" * 30_000,
        "`" * 30_000,
    ):
        assert not is_of_client([HumanMessage(text)])
