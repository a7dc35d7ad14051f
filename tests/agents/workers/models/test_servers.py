"""What is found on this machine: servers of every kind, and ports where something else is."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from agents.errors import InputError
from agents.settings import USUAL_PORTS, LocalServers
from agents.workers.models.listings import ServedModel, parameters_in, parse_parameters, speciality
from agents.workers.models.servers import Server, look, server_at, window_of
from tests.loopback import ChatServer, free_port, serving
from tests.model_servers import llamacpp, lmstudio, ollama, vllm

APACHE = "\n   Apache License\n   Version 2.0, January 2004\n"


def found(chat: ChatServer, kind: str = "", *, thorough: bool = False) -> Server:
    with serving(chat):
        return look([(kind, chat.port)], seconds=5, thorough=thorough)[0]


def test_ollama_tells_what_it_has_loaded() -> None:
    chat = ollama(
        {"name": "qwen2.5:7b", "size": 4683087332, "parameters": "7.6B", "family": "qwen2"},
        {"name": "nomic-embed-text:latest", "size": 274302450, "parameters": "137M", "family": "nomic-bert"},
        {"name": "gpt-oss:120b-cloud", "host": "https://ollama.com:443", "parameters": "116.8B"},
        loaded={"qwen2.5:7b": 4096},
    )
    server = found(chat, "ollama")
    qwen, nomic, cloud = server.models
    assert (server.kind, server.fault) == ("ollama", "")
    assert qwen == ServedModel(
        "qwen2.5:7b", "chat", True, 7_600_000_000, 4683087332, 4096, None, "Q4_K_M", "", (), None, ""
    )
    assert (nomic.use, nomic.loaded, nomic.window) == ("embedding", False, None)
    assert (cloud.elsewhere, cloud.size) == ("https://ollama.com:443", None)


def test_ollama_is_asked_for_each_model_where_all_is_wanted() -> None:
    chat = ollama(
        {"name": "llama3.2:latest", "count": 3212749888, "parameters": "3.2B", "longest": 131072, "size": 9}
        | {"can": ["completion", "tools"], "licence": "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\nLlama 3.2 …"},
        {"name": "llava:7b", "can": ["completion", "vision"], "num_ctx": 8192, "licence": APACHE},
        {"name": "mine", "can": ["embedding"]},
    )
    llama, llava, mine = found(chat, thorough=True).models
    assert (llama.parameters, llama.longest, llama.window) == (3212749888, 131072, None)
    assert (llama.licence, llama.tools) == ("LLAMA 3.2 COMMUNITY LICENSE AGREEMENT", True)
    assert (llava.window, llava.licence, llava.reads) == (8192, "Apache-2.0", ("text", "image"))
    assert (mine.use, mine.parameters, mine.size) == ("embedding", None, None)


def test_lm_studio_tells_kinds_and_windows() -> None:
    chat = lmstudio(
        {"id": "qwen2.5-7b-instruct@q4_k_m", "state": "loaded", "loaded_context_length": 8192}
        | {"capabilities": ["tool_use"]},
        {"id": "qwen2-vl-7b", "type": "vlm"},
        {"id": "text-embedding-nomic-embed-text-v1.5", "type": "embeddings"},
    )
    qwen, eye, embedding = found(chat).models
    assert (qwen.loaded, qwen.window, qwen.longest, qwen.tools) == (True, 8192, 32768, True)
    assert (eye.loaded, eye.window, eye.reads) == (False, None, ("text", "image"))
    assert (embedding.use, embedding.parameters, embedding.size) == ("embedding", None, None)


@pytest.mark.parametrize("kind", ["", "llamacpp", "ollama", "vllm"])
def test_llamacpp_is_known_on_any_port(kind: str) -> None:
    server = found(llamacpp("tiny", window=2048, vision=True), kind)
    assert (server.kind, server.title) == ("llamacpp", "llama.cpp")
    (model,) = server.models
    assert (model.window, model.longest, model.loaded) == (2048, 8192, True)
    assert (model.parameters, model.size, model.reads) == (134515008, 96576768, ("text", "image"))


def test_an_adapter_on_vllm_has_the_window_of_its_base() -> None:
    server = found(vllm("Qwen/Qwen3-4B", "law", window=16384))
    assert (server.kind, [(model.name, model.window) for model in server.models]) == (
        "vllm",
        [("Qwen/Qwen3-4B", 16384), ("law", 16384)],
    )


@pytest.mark.parametrize(("kind", "title"), [("ollama", "the server on port"), ("", "the server on port")])
def test_another_server_on_the_port_of_ollama_is_not_taken_for_it(kind: str, title: str) -> None:
    server = found(ChatServer(), kind)
    assert server.title.startswith(title)
    assert ([model.name for model in server.models], server.kind) == (["tiny"], "")
    assert server.reference("tiny") == f"openai:tiny@http://127.0.0.1:{server.port}/v1"


def test_an_ollama_without_models() -> None:
    server = found(ollama(), "ollama")
    assert (server.kind, server.models, server.fault) == ("ollama", (), "")


def test_a_server_that_wants_a_key_says_so_and_is_sent_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = found(ChatServer(pages=lambda path, body: (401, {"error": "no key"})))
    assert "wants a key" in server.fault


@pytest.mark.parametrize("page", [["a"], {"data": "x"}, "<html>", {"data": [{"id": 3}, "x"]}, None])
def test_what_is_no_listing_has_no_models(page: object) -> None:
    server = found(ChatServer(pages=lambda path, body: (200, page)))
    assert server.models == ()


@contextmanager
def hanging(said: bytes, count: int) -> Iterator[list[tuple[str, int]]]:
    """Ports that take a request, say so much and no more."""

    def hang(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                held.append(listener.accept()[0])
                held[-1].sendall(said)

    held: list[socket.socket] = []
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        for listener in listeners:
            threading.Thread(target=hang, args=(listener,), daemon=True).start()
        yield [("", listener.getsockname()[1]) for listener in listeners]
        for connection in held:
            connection.close()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_many_that_hang_take_no_longer_than_one(said: bytes) -> None:
    took = []
    for count in (1, 6):
        with hanging(said, count) as places, serving(vllm("m")) as chat:
            began = time.monotonic()
            servers = look([*places, ("", chat.port)], seconds=0.5)
            took.append(time.monotonic() - began)
        assert all(server.fault for server in servers[:-1])
        assert [model.name for model in servers[-1].models] == ["m"]
    assert took[1] < 3 * took[0]


def test_nothing_answers() -> None:
    assert look([("ollama", free_port())])[0].fault == "no answer"
    assert look([]) == []


def test_only_this_machine_is_asked() -> None:
    for url in ("http://192.0.2.1:8000/v1", "https://api.openai.com/v1", "http://host.test/v1", "nonsense"):
        assert server_at(url) is None
        assert window_of(url, "m") is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_window_is_the_servers(host: str) -> None:
    with serving(llamacpp(window=1024)) as chat:
        assert window_of(f"http://{host}:{chat.port}/v1", "any name") == 1024
    with serving(vllm("m", window=512)) as chat:
        assert window_of(f"http://{host}:{chat.port}/v1", "m") == 512
        assert window_of(f"http://{host}:{chat.port}/v1", "other") is None


def test_places() -> None:
    assert LocalServers.read({}).places == tuple(USUAL_PORTS.items())
    assert LocalServers.read({"OCTOPUS_SERVERS": "ollama=11500, 8099"}).places == (
        ("ollama", 11500),
        ("", 8099),
    )
    assert LocalServers.read({"OCTOPUS_SERVERS": "none"}).places == ()


@pytest.mark.parametrize("text", ["gpu-box:8000", "ollama", "99999", "squid=80", "http://10.0.0.1:80"])
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no port of this machine"):
        LocalServers.read({"OCTOPUS_SERVERS": text})


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("qwen2.5:7b", 7e9), ("qwen2.5:0.5b", 5e8), ("mixtral-8x7b-instruct", 56e9), ("smollm2-135M", 135e6),
        ("Qwen3-30B-A3B", 30e9), ("llama3.2", None), ("phi4", None), ("q4_k_m", None),
    ],
)  # fmt: skip
def test_parameters_in_a_name(name: str, count: float | None) -> None:
    assert parameters_in(name) == (None if count is None else int(count))


def test_parameters_as_ollama_writes_them() -> None:
    assert parse_parameters("494.03M") == 494_030_000
    assert parse_parameters("unknown") is None


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("qwen2.5-coder:7b", "code"), ("deepseek-coder-v2", "code"), ("codellama:13b", "code"),
        ("qwen2.5-math-7b-instruct", "math"), ("mathstral:7b", "math"), ("meditron:7b", "medicine"),
        ("llava:13b", "vision"), ("qwen2.5vl:3b", "vision"), ("qwen2-vl-7b", "vision"),
        ("llama3:8b-text", ""), ("llama3:text", "completion"), ("qwen2.5:7b", ""), ("gemma3:4b", ""),
        ("mistral-nemo:latest", ""), ("DeepSeek-R1-Distill-Qwen-7B", ""), ("phi4:14b", ""),
    ],
)  # fmt: skip
def test_what_a_model_was_made_for(name: str, what: str) -> None:
    assert speciality(name) == what
