"""What becomes of each way in which a model server misbehaves: a typed reason, or the answer all the same."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator

import httpx2
import openai
import pytest

from agents.types import WorkerAnswer, WorkerRequest
from agents.workers.models.clients import OpenAIReference
from agents.workers.models.failures import fault_of, seconds_in
from agents.workers.models.language_model import LanguageModel
from agents.workers.models.reference import Connection
from tests.misbehaving import SECRET, Misbehaving, misbehaving
from tests.misbehaviours import KEPT_ALIVE, KINDS

SLOW = {kind for kind in KINDS if KINDS[kind].code == "timeout"}
_MOST = 80_000_000  # bytes that a server gets rid of, its system's buffers included


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Misbehaving]:
    with misbehaving(tmp_path_factory.mktemp("server"), {**KINDS, **KEPT_ALIVE}) as running:
        yield running


async def ask(server: Misbehaving, kind: str) -> WorkerAnswer:
    # What answers has time enough on a busy machine; what does not is not waited for.
    timeout, total = (3.0, 6.0) if kind in SLOW else (40.0, 80.0)
    given = Connection("math", "You count.", timeout=timeout, total=total)
    worker = LanguageModel(OpenAIReference("tiny", server.url(kind)), given)
    async with asyncio.timeout(200):  # ends it; when it ends by itself depends on who else is working
        return await worker.answer(WorkerRequest("6 times 7?", idempotency_key=f"key of {kind}"))


@pytest.fixture(scope="module")
def answers(server: Misbehaving) -> dict[str, WorkerAnswer]:
    """The answer of each kind; those that should not answer wait by themselves."""

    async def all_of_them() -> dict[str, WorkerAnswer]:
        found: dict[str, WorkerAnswer] = {}
        for some in (KINDS.keys() - SLOW, SLOW):
            asked = await asyncio.gather(*(ask(server, kind) for kind in some))
            found |= zip(some, asked, strict=True)
        return found

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("kind", KINDS)
def test_a_typed_reason(kind: str, answers: dict[str, WorkerAnswer]) -> None:
    answer, wanted = answers[kind], KINDS[kind]
    if wanted.code:
        assert answer.failure is not None, answer
        assert (answer.status, answer.failure["code"]) == ("unavailable", wanted.code)
    else:
        assert (answer.status, answer.text, answer.failure) == ("answered", wanted.text, None)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].code])
def test_a_sentence_with_what_to_do_and_nothing_of_the_servers(
    kind: str, answers: dict[str, WorkerAnswer], server: Misbehaving
) -> None:
    answer = answers[kind]
    assert answer.text.startswith("math was chosen, but its model 'tiny' ")
    assert answer.text.endswith((".", "?"))
    assert answer.text.count(". ") == 1  # what happened, and what to do
    for internal in (SECRET, "127.0.0.1", str(server.port), "http:", "Error", "Traceback"):
        assert internal not in str(answer).replace("`http://`", "").replace("begin with http:// rather", "")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].calls])
def test_how_often_it_is_asked_with_the_same_key(
    kind: str, answers: dict[str, WorkerAnswer], server: Misbehaving
) -> None:
    calls = server.calls.get(kind, [])
    wanted = (KINDS[kind].calls or 0) + (kind == "reset-on-accept")  # asked for its window too
    assert len(calls) == wanted, answers[kind]
    if kind != "reset-on-accept":
        assert {call.headers["idempotency-key"] for call in calls} == {f"key of {kind}"}


def test_no_more_is_read_than_the_limits_allow(answers: dict[str, WorkerAnswer], server: Misbehaving) -> None:
    sent = {kind: sum(call.sent for call in calls) for kind, calls in server.calls.items()}
    assert {kind: amount for kind, amount in sent.items() if amount > _MOST} == {}, answers.keys()


async def test_the_log_has_the_details_under_the_key_of_the_request(
    server: Misbehaving, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "octopus.models"):
        await ask(server, "401")
    (record,) = caplog.records
    assert record.getMessage().startswith(f"key of 401: 'tiny' at {server.url('401')}: unauthorized: ")
    assert SECRET in record.getMessage()


async def test_a_wait_that_the_walk_has_no_time_for_is_handed_on(server: Misbehaving) -> None:
    worker = LanguageModel(OpenAIReference("tiny", server.url("429-for-an-hour")), Connection("math"))
    answer = await worker.answer(WorkerRequest("6 times 7?", seconds=3.0))
    assert answer.failure == {"code": "rate_limited", "param": "", "retry_after": 3600.0}
    assert "Ask again in 3,600 seconds." in answer.text


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_connections_of_a_loop_that_ended_are_not_used_again(server: Misbehaving) -> None:
    for kind in ("kept-alive", "kept-alive", "good"):
        assert asyncio.run(ask(server, kind)).text == "Forty-two."
    gc.collect()  # nobody can close what the ended loops left


async def test_a_parameter_at_fault_is_named(server: Misbehaving) -> None:
    answer = await ask(server, "400-parameter")
    assert answer.failure == {"code": "unsupported_parameter", "param": "top_p", "retry_after": None}


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("soon", None), ("", None), ("nan", None), ("1e99", 86_400.0)],
)
def test_how_long_a_server_wants_to_be_left_alone(told: str, seconds: float | None) -> None:
    assert seconds_in({"retry-after": told}) == seconds
    assert seconds_in({}) is None


class _ProviderError(Exception):
    """As other providers' clients raise it."""

    def __init__(self, status_code: int) -> None:
        super().__init__("said so")
        self.status_code = status_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (_ProviderError(529), "overloaded"),
        (_ProviderError(401), "unauthorized"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(), "unreachable"),
        (MemoryError(), "server_error"),
        (RuntimeError("out of memory"), "server_error"),
        (KeyError("choices"), "broken_reply"),
        (ExceptionGroup("many", [ConnectionResetError()]), "unreachable"),
    ],
)
def test_what_other_clients_raise(error: Exception, code: str) -> None:
    assert fault_of(error).failure["code"] == code


@pytest.mark.parametrize(
    "said",
    ["Unknown parameter: 'logprobs'.", "[logprobs] extra_forbidden", "logprobs is not supported with tools"],
)
def test_the_parameter_is_found_in_what_servers_say(said: str) -> None:
    response = httpx2.Response(400, request=httpx2.Request("POST", "http://127.0.0.1/v1"))
    found = fault_of(openai.BadRequestError(said, response=response, body={"message": said}))
    assert (found.failure["code"], found.failure["param"]) == ("unsupported_parameter", "logprobs")
