"""Python's http.client: JSON-RPC in both versions, keep-alive, and the header of those sent on."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import socket
import ssl
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from pools.demonstration import Demo
from pools.stage import Host

from .test_xenapi import trusting

ASK = "x-xenapi-request-host-certificate-thumbprint"
TELL = "x-xenapi-response-host-certificate-thumbprint"
APPLICATION_DATA = 23
"""The type of a TLS record (RFC 8446, 5.1)."""

WAITING = object()


def connection(host: Host) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection(host.address, host.port, context=trusting(host), timeout=20)


def posted(
    to: http.client.HTTPSConnection, method: str, *parameters: object, version: int = 2
) -> dict[str, Any]:
    """One JSON-RPC call on this connection."""
    request = {"method": method, "params": parameters, "id": "mine"}
    if version == 2:
        request["jsonrpc"] = "2.0"
    to.request("POST", "/jsonrpc", json.dumps(request), {"Content-Type": "application/json"})
    response = to.getresponse()
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/json"
    return dict(json.loads(response.read()))


@pytest.fixture
def line(demo: Demo) -> Iterator[http.client.HTTPSConnection]:
    with closing(connection(demo.hosts["h1"])) as line:
        yield line


def test_json_rpc_2_logs_in_and_lists_hosts(demo: Demo, line: http.client.HTTPSConnection):
    login = posted(line, "session.login_with_password", "root", demo.password)
    assert login.keys() == {"jsonrpc", "result", "id"}
    assert (login["jsonrpc"], login["id"]) == ("2.0", "mine")
    hosts = posted(line, "host.get_all_records", login["result"])["result"]
    assert sorted(host["name_label"] for host in hosts.values()) == ["h1", "h2", "h3"]


def test_json_rpc_1_logs_in_and_lists_hosts(demo: Demo, line: http.client.HTTPSConnection):
    login = posted(line, "session.login_with_password", "root", demo.password, version=1)
    assert login.keys() == {"result", "error", "id"}
    assert (login["error"], login["id"]) == (None, "mine")
    hosts = posted(line, "host.get_all_records", login["result"], version=1)["result"]
    assert sorted(host["name_label"] for host in hosts.values()) == ["h1", "h2", "h3"]


@pytest.mark.parametrize("version", [1, 2])
def test_json_rpc_says_how_a_call_failed(line: http.client.HTTPSConnection, version: int):
    answer = posted(line, "host.get_all", "OpaqueRef:none", version=version)
    told = ["SESSION_INVALID", "OpaqueRef:none"]
    if version == 1:
        assert answer == {"result": None, "error": told, "id": "mine"}
    else:
        assert answer["error"]["message"] == told[0]
        assert answer["error"]["data"] == told[1:]
        assert "result" not in answer


@pytest.mark.parametrize("path", ["/", "/RPC2"])
def test_xml_rpc_is_at_the_other_paths(demo: Demo, path: str):
    host = demo.hosts["h1"]
    url = f"https://{host.address}:{host.port}{path}"
    with xmlrpc.client.ServerProxy(url, context=trusting(host)) as proxy:
        assert "host.get_all_records" in proxy.system.listMethods()
        login = proxy.session.login_with_password("root", demo.password)
    assert login["Status"] == "Success"


@pytest.mark.parametrize("sort", ["sha-256", "sha-1"])
def test_who_is_sent_on_may_ask_whom_it_will_meet(demo: Demo, sort: str):
    coordinator, supporter = demo.hosts["h1"], demo.hosts["h3"]
    request = {"method": "session.login_with_password", "params": ["root", "x"], "id": 1}
    with closing(connection(supporter)) as line:
        line.request("POST", "/jsonrpc", json.dumps(request), {ASK: f"{sort}:master"})
        response = line.getresponse()
        assert json.loads(response.read())["error"] == ["HOST_IS_SLAVE", coordinator.address]
    pem = ssl.get_server_certificate((coordinator.address, coordinator.port))
    met = hashlib.new(sort.replace("-", ""), ssl.PEM_cert_to_DER_cert(pem))
    assert response.headers[TELL] == met.digest().hex(":").upper()


def test_an_answer_is_one_write(demo: Demo):
    """In two, the second would wait 40 ms for the client's delayed acknowledgement of the first."""
    host = demo.hosts["h1"]
    body = json.dumps({"method": "host.get_all", "params": ["OpaqueRef:none"], "id": 1})
    request = f"POST /jsonrpc HTTP/1.1\r\nHost: h1\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    with closing(Tap(host)) as tap:
        tap.ask(request.encode())  # what OpenSSL sends after the handshake comes before its answer
        for _ in range(5):
            answer, records = tap.ask(request.encode())
            assert answer.endswith(b"}") and b"SESSION_INVALID" in answer
            assert records == [APPLICATION_DATA]


class Tap:
    """A keep-alive connection that sees the TLS records that arrive."""

    def __init__(self, host: Host) -> None:
        self._sock = socket.create_connection((host.address, host.port), timeout=10)
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = trusting(host)
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=host.address)
        self._raw = b""
        while self._once(self._tls.do_handshake) is WAITING:
            self._receive()

    def ask(self, request: bytes) -> tuple[bytes, list[int]]:
        """The answer, and the types of the records that it came in."""
        self._raw, answer = b"", b""
        self._tls.write(request)
        self._flush()
        while not self._is_whole(answer):
            piece = self._once(self._tls.read)
            if piece is WAITING:
                self._receive()
            else:
                answer += piece
        return answer, self._records()

    def close(self) -> None:
        self._sock.close()

    def _once(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except ssl.SSLWantReadError:
            return WAITING
        finally:
            self._flush()

    def _flush(self) -> None:
        self._sock.sendall(self._leaving.read())

    def _receive(self) -> None:
        data = self._sock.recv(65536)
        assert data, "it hung up"
        self._raw += data
        self._arrived.write(data)

    @staticmethod
    def _is_whole(answer: bytes) -> bool:
        head, end, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        return bool(end) and length is not None and len(body) == int(length[1])

    def _records(self) -> list[int]:
        types, rest = [], self._raw
        while rest:
            types.append(rest[0])
            rest = rest[5 + int.from_bytes(rest[3:5]) :]
        return types
