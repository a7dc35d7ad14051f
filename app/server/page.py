"""Serve the page at `/`: static files, and HTML of the Markdown that it shows; all else is the public API."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field
from starlette.staticfiles import StaticFiles

from app.server.dependencies import Chatter
from app.server.markdown import Block, render
from app.server.middleware import PAGE_PATHS

_WEB = Path(__file__).parent / "web"
_HEADERS = {
    # Nothing from elsewhere, nothing inline, and HTML only where markdown.js makes it of the server's.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types octopus-markdown",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
router = APIRouter(tags=["Page"])


class Markdown(BaseModel):
    """Hold a text to show; its limit keeps rendering within seconds."""

    text: Annotated[str, Field(max_length=32_000)]


class _Files(StaticFiles):
    def file_response(self, *arguments: Any, **more: Any) -> Response:
        response = super().file_response(*arguments, **more)
        response.headers.update(_HEADERS)
        return response


def install(app: FastAPI) -> None:
    """Serve the page."""
    app.include_router(router)
    app.mount(PAGE_PATHS[1], _Files(directory=_WEB), name="web")


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """Return the page itself."""
    return FileResponse(_WEB / "index.html", headers=_HEADERS)


@router.post("/render")
async def rendered(body: Markdown, caller: Chatter) -> dict[str, list[Block]]:
    """Return Markdown as blocks of safe HTML, with the line where each begins; formulas are MathML."""
    return {"blocks": await asyncio.to_thread(render, body.text)}
