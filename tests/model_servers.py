"""Ollama, LM Studio, llama.cpp and vLLM as they list their models; each is strict on paths and names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.loopback import ChatServer

Page = tuple[int, Any]
_CHAT = "/v1/chat/completions"


def _server(
    pages: Mapping[str, Any], names: set[str] | None, missing: Any, shows: Mapping[str, Any] = {}
) -> ChatServer:
    """A server that has these pages, tells `shows` of its models, and answers to these names, or to any."""

    def page(path: str, body: Any) -> Page | None:
        if body is None and path in pages:
            return 200, pages[path]
        if path == "/api/show" and shows and body is not None:
            known = set(body) <= {"model", "verbose"} and body.get("model") in shows
            return (200, shows[body["model"]]) if known else (404, {"error": "model not found"})
        if path == _CHAT and body is not None:
            return None if names is None or body["model"] in names else (404, missing)
        return 404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}}

    return ChatServer(pages=page)


def _openai(rows: list[dict[str, Any]], owner: str) -> dict[str, Any]:
    made = [{"object": "model", "created": 0, "owned_by": owner} | row for row in rows]
    return {"object": "list", "data": made}


def ollama(*models: dict[str, Any], loaded: Mapping[str, int] = {}, tells: bool = True) -> ChatServer:
    """Ollama.

    Args:
        models: `name`; and `size`, `family`, `parameters`, `can`, `licence`, `longest`, `num_ctx`, `host`.
        loaded: the window of each that is in memory.
        tells: whether it is new enough to say what its models can do.
    """
    tags, shows = [], {}
    for one in models:
        details = {
            "format": "gguf",
            "family": one.get("family", "llama"),
            "families": None,
            "parameter_size": one.get("parameters", ""),
            "quantization_level": "Q4_K_M",
        }
        host = {"remote_host": one["host"], "remote_model": one["name"]} if "host" in one else {}
        row = {"name": one["name"], "model": one["name"], "size": one.get("size", 0), "digest": "f" * 64}
        tags.append(row | {"modified_at": "2026-11-01T00:00:00Z", "details": details} | host)
        info: dict[str, Any] = {"general.architecture": details["family"]}
        if "count" in one:
            info["general.parameter_count"] = one["count"]
        if "longest" in one:
            info[f"{details['family']}.context_length"] = one["longest"]
        show = {"details": details, "model_info": info, "modelfile": "", "template": "{{ .Prompt }}"}
        show |= {"license": one.get("licence", ""), "parameters": ""}
        if "num_ctx" in one:
            show["parameters"] = f'num_ctx                        {one["num_ctx"]}\nstop     "<eot>"'
        shows[one["name"]] = show | ({"capabilities": one.get("can", ["completion"])} if tells else {})
    ps = [{"name": name, "model": name, "size": 1, "context_length": long} for name, long in loaded.items()]
    names = {one["name"] for one in models}
    pages = {
        "/v1/models": _openai([{"id": name} for name in names], "library")
        | ({} if names else {"data": None}),
        "/api/tags": {"models": tags},
        "/api/ps": {"models": ps},
    }
    short = {name.removesuffix(":latest") for name in names}
    missing = {"error": {"message": "model not found", "type": "api_error", "param": None, "code": None}}
    return _server(pages, names | short, missing, shows or {"": {}})


def lmstudio(*models: dict[str, Any]) -> ChatServer:
    """LM Studio; of each model `id`, and `type`, `state`, `loaded_context_length` and the like."""
    own = [
        {"object": "model", "type": "llm", "state": "not-loaded", "publisher": "x", "arch": "llama"}
        | {"compatibility_type": "gguf", "quantization": "Q4_K_M", "max_context_length": 32768}
        | one
        for one in models
    ]
    listed = [{"id": one["id"]} for one in models]
    pages = {
        "/v1/models": {
            "object": "list",
            "data": [{"object": "model", "owned_by": "organization_owner"} | row for row in listed],
        },
        "/api/v0/models": {"object": "list", "data": own},
    }
    missing = {"error": {"message": "Model not found", "code": "model_not_found"}}
    return _server(pages, {one["id"] for one in models}, missing)


def llamacpp(name: str = "/models/tiny.Q4_1.gguf", *, window: int = 4096, vision: bool = False) -> ChatServer:
    """llama-server with one model; it answers whatever name it is asked by."""
    meta = {"vocab_type": 2, "n_vocab": 49152, "n_ctx_train": 8192, "n_embd": 576}
    meta |= {"n_params": 134515008, "size": 96576768}
    pages = {
        "/v1/models": _openai([{"id": name, "meta": meta}], "llamacpp"),
        "/props": {
            "default_generation_settings": {"n_ctx": window, "params": {}},
            "total_slots": 2,
            "model_path": name,
            "modalities": {"vision": vision, "audio": False},
            "chat_template": "",
        },
    }
    return _server(pages, None, None)


def vllm(*models: str, window: int = 16384) -> ChatServer:
    """VLLM, the first model the base of the others."""
    rows: list[dict[str, Any]] = [
        {"id": name, "root": models[0], "parent": models[0] if index else None, "permission": []}
        | ({} if index else {"max_model_len": window})
        for index, name in enumerate(models)
    ]
    missing = {"error": {"message": "The model does not exist.", "type": "NotFoundError", "code": 404}}
    return _server({"/v1/models": _openai(rows, "vllm")}, set(models), missing)


def places(**servers: ChatServer) -> str:
    """OCTOPUS_SERVERS with these servers by their kinds."""
    return ",".join(f"{kind}={server.port}" for kind, server in servers.items())
