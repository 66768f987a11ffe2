"""What the browser says and is answered, as JSON; every refusal has words."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web


def json(value: Any, status: int = 200) -> web.Response:
    """An answer in JSON."""
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


def wrong(words: str, code: str = "INVALID_VALUE", status: int = 200) -> web.Response:
    """A refusal in words.

    Of another status than 200 a browser complains in its console, as of a fault of the page.
    """
    return json({"error": {"code": code, "parameters": [], "words": words}}, status)


async def said(request: web.Request) -> dict[str, Any]:
    """What the page says, a JSON object.  Raises HTTPBadRequest."""
    try:
        value = orjson.loads(await request.read())
    except orjson.JSONDecodeError as why:
        raise web.HTTPBadRequest(text="That is no JSON.") from why
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text="That is no JSON object.")
    return value
