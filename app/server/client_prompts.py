"""Recognise what a chat page asks for itself (titles, tags, next questions), and let a model answer it.

Such a prompt quotes a conversation and belongs to none: it is not routed, no thread keeps it, and no tool
reads the questions that it quotes. Pages word it differently and users change the words, so what is looked
for are the marks that a page needs to use the answer: whose title it wants, in what form, and the quotation.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from agents.modalities import readable
from agents.types import WorkerRequest, failure
from app.runs.events import Answered, Event
from app.runs.run import Run
from app.server.dependencies import Service
from app.server.errors import REQUEST, ApiError, unanswered
from app.server.models import Model

_log = logging.getLogger("octopus.server")
_NO_MODEL = "This is a prompt of a chat page, not of a person, and no model is connected to answer it."
_NEAR = 500  # characters at the beginning or end, where a prompt says what it wants
# Open WebUI, for any of its tasks. Its prompt for documents begins so too, but asks what a person asked.
_TASK = re.compile(r"\s{0,9}#{1,6} ?Task:", re.IGNORECASE)
_ASKED = re.compile(r"<(?:user_query|context|source)\b")
# NextChat asks at the end of the conversation itself, and rules out what no person would.
_AFTERWARDS = re.compile(
    r"title summari[sz]ing our conversation without any lead-in|^使用四到五个字.{0,20}主题", re.IGNORECASE
)
# Jan quotes the first message alone.
_FIRST = re.compile(r"Summari[sz]e in an? \S{1,9}-word title\. Give the title only", re.IGNORECASE)
_TALK = r"\b(?:conversation|chat|dialogue|thread|first message|user's (?:messages?|query|request))\b"
_TITLE = re.compile(
    rf"\btitle\b[^.;\n]{{0,40}} (?:for|of|that|based|summari[sz]ing)\b[^.;\n]{{0,40}}{_TALK}"
    rf"|{_TALK}[^.\n]{{0,40}} (?:in|into|as) an?\b.{{0,30}}\btitle\b"
    r"|\bname (?:this|the) (?:chat|conversation)\b|\b(?:chat|conversation) a name\b"
    r"|\banaly[sz]e this conversation and provide\b|(?:会话|对话|聊天)[^。\n]{0,20}标题",
    re.IGNORECASE,
)
_NUMBER = r"(?:\d{1,3}|two|three|four|five|six|seven|eight|ten)"
_FORM = re.compile(
    rf"\b{_NUMBER}[ -](?:words?|characters?)\b|\bonly\b.{{0,20}}\btitle\b|\btitle\b.{{0,20}}\bonly\b"
    r"|\bnothing else\b|个字",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"^[^\w\n]{0,4}(?:user|human|assistant|ai|bot)\b[^\w\n]{0,4}:|<(?:conversation|messages|content)>|```|---BEGIN",
    re.IGNORECASE | re.MULTILINE,
)


def is_of_client(messages: Sequence[BaseMessage], task: str | None = None, *, tools: bool = False) -> bool:
    """Return whether the last message is a chat page's own prompt, and no person's.

    Args:
        messages: the conversation.
        tools: whether tools are offered, as no page does that wants a title.
        task: what Open WebUI says that it is for, in a header that it can be told to send.
    """
    if task is not None and task.endswith("_generation"):
        return True
    if not isinstance(messages[-1], HumanMessage):  # but the result of a tool
        return False
    if tools:
        return False
    said = str(messages[-1].text).strip()
    told = next((str(message.text) for message in messages if isinstance(message, SystemMessage)), "")
    if _TASK.match(said):
        before, tag, quoted = said.partition("<chat_history>")
        return bool(tag) and "</chat_history>" in quoted and not _ASKED.search(before)
    if _FIRST.match(said) or _names_conversation(told[:_NEAR]):
        return True
    if len(messages) > 2 and _AFTERWARDS.search(said):
        return True
    near = said[:_NEAR], said[-_NEAR:]
    return any(map(_names_conversation, near)) and _QUOTED.search(said) is not None


def _names_conversation(wanted: str) -> bool:
    return bool(_TITLE.search(wanted) and _FORM.search(wanted))


async def answer_client(served: Service, model: Model, run: Run) -> AsyncGenerator[Event]:
    """Yield the answer of the generalist's model to a page's own prompt, as the event of a run without hops.

    Raises:
        ApiError: there is no model, 503, or it gave no answer; pages then keep their own default.
        TimeoutError: it took longer than a run may.
    """
    worker = model.bare
    if worker is None:
        raise ApiError(503, _NO_MODEL, code="no_model")
    *before, last = (readable(message, frozenset()) for message in run.messages)  # a title needs no pictures
    request = WorkerRequest(str(last.text), conversation=before, generation=run.context.generation)
    with served.telemetry.follow(model.graph) as told:
        async with asyncio.timeout(served.settings.timeout):
            answer = await worker.answer(request)
        if answer.status != "answered":
            why = answer.failure or failure("declined")
            _log.warning("Request %s: a page's prompt: %s: %s", REQUEST.get(), why["code"], answer.text)
            raise unanswered(why)
        event = Answered(answer.text, rest=answer.text, evidence=answer.evidence, calls=list(answer.calls))
        told(event)
        yield event
