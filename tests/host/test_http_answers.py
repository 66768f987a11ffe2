"""What HTTP clients are answered, to the byte where they depend on it."""

from __future__ import annotations

import pytest

from api.fake import FakeContext
from host.test_web import ALIVE, POST, Spot, run, serving
from pooltrust.api.wire.message import LONGEST_BODY

COMMON = {
    b"cache-control": b"no-cache, no-store",
    b"access-control-allow-origin": b"*",
    b"access-control-allow-headers": b"X-Requested-With",
}


async def answered(spot: Spot, data: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of the one answer after which the connection is closed."""
    head, _, body = (await spot.said(data)).partition(b"\r\n\r\n")
    first, *rest = head.split(b"\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in rest)}
    return int(first.split()[1]), headers, body


def request(method: str, path: str, body: bytes = b"", *lines: str) -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: h1", "Connection: close", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode() + body


XML = b"<methodCall><methodName>system.isAlive</methodName></methodCall>"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "content_type"),
    [
        ("POST", "/jsonrpc", ALIVE, 200, b"application/json"),
        ("POST", "/jsonrpc?x=1", ALIVE, 200, b"application/json"),
        ("POST", "/", XML, 200, b"text/xml"),
        ("POST", "/RPC2", XML, 200, b"text/xml"),
        ("POST", "/json", XML, 200, b"text/xml"),
        ("POST", "/no/such/path", XML, 200, b"text/xml"),
        ("POST", "/jsonrpc", XML, 500, b"text/html; charset=utf-8"),
        ("POST", "/", ALIVE, 500, b"text/html; charset=utf-8"),
        ("POST", "/", b"", 500, b"text/html; charset=utf-8"),
        ("POST", "/jsonrpc", b" " * (LONGEST_BODY + 1), 500, b"text/html; charset=utf-8"),
        ("GET", "/", b"", 200, b"text/plain; charset=utf-8"),
        ("GET", "/openrpc.json", b"", 200, b"application/json"),
        ("GET", "/no/such/path", b"", 404, b"text/html; charset=utf-8"),
        ("PUT", "/", b"x", 501, b"text/html; charset=utf-8"),
        ("DELETE", "/jsonrpc", b"", 501, b"text/html; charset=utf-8"),
    ],
)
def test_a_path_speaks_its_wire(
    method: str, path: str, body: bytes, status: int, content_type: bytes
):
    async def story() -> None:
        async with serving() as spot:
            met = await answered(spot, request(method, path, body))
            assert (met[0], met[1][b"content-type"]) == (status, content_type)
            assert met[1].items() >= COMMON.items()
            assert (met[1].get(b"connection") == b"close") and len(met[2]) > 0

    run(story())


def test_a_browser_may_ask_from_any_page():
    async def story() -> None:
        async with serving() as spot:
            asks = "Access-Control-Request-Headers: content-type"
            for path in ("/", "/RPC2", "/json", "/jsonrpc"):
                status, headers, body = await answered(spot, request("OPTIONS", path, b"", asks))
                assert (status, body) == (200, b"")
                assert headers[b"access-control-allow-origin"] == b"*"
                allowed = headers[b"access-control-allow-headers"]
                assert allowed == b"content-type, X-Requested-With"
                assert headers[b"access-control-allow-methods"] == b"PUT"

    run(story())


def test_a_connection_is_kept_as_its_client_wishes():
    ask = POST % (len(ALIVE), ALIVE)

    async def story() -> None:
        async with serving() as spot:
            reader, writer = await spot.connected()
            for _ in range(3):
                writer.write(ask)
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200") and b"close" not in head.lower()
                assert await reader.readuntil(b"}")
            writer.close()
            # HTTP/1.0 closes unless it is asked to keep the connection.
            assert (await spot.said(ask.replace(b"1.1", b"1.0"))).startswith(b"HTTP/1.0 200")

    run(story())


def test_a_client_that_waits_for_leave_is_let_go_on():
    async def story() -> None:
        async with serving() as spot:
            reader, writer = await spot.connected()
            head, body = request("POST", "/jsonrpc", ALIVE, "Expect: 100-continue"), ALIVE
            writer.write(head.removesuffix(body))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(body)
            assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
            writer.close()

    run(story())


def test_a_client_that_waits_for_leave_to_send_too_much_is_refused_first():
    async def story() -> None:
        async with serving() as spot:
            reader, writer = await spot.connected()
            length = f"Content-Length: {LONGEST_BODY + 1}"
            writer.write(request("POST", "/", b"", "Expect: 100-continue", length))
            assert await reader.readline() == b"HTTP/1.1 500 Internal Server Error\r\n"
            writer.close()

    run(story())


def test_an_answer_says_what_it_is_in_few_headers():
    async def story() -> None:
        async with serving(FakeContext()) as spot:
            _, headers, _ = await answered(spot, request("POST", "/jsonrpc", ALIVE))
            assert headers.keys() == {
                *COMMON, b"content-type", b"content-length", b"date", b"server", b"connection",
            }  # fmt: skip

    run(story())
