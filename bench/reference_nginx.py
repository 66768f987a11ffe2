"""nginx as the yardstick: one worker, the same certificate, the same reply."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bench.processes import ADDRESS, Server, free_port, start

_CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  default_type application/json;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {address}:{port} ssl;
    ssl_certificate {identity};
    ssl_certificate_key {identity};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache off;
    ssl_session_tickets {tickets};
    {clients}
    location / {{ return 200 '{reply}'; }}
  }}
}}
"""


def program() -> str | None:
    """Where nginx is; None if it is not installed (Debian: nginx-light)."""
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


def serve(
    folder: Path, identity: Path, reply: str, *, clients: Path | None = None, tickets: bool = True
) -> Server:
    """Start nginx in `folder`; with `clients` (PEM) exactly such a client certificate is required.

    `identity` is one PEM file with key and certificate.  Raises RuntimeError if it does not start.
    """
    if set(reply) & set("$'\\"):
        raise ValueError("nginx would read $, ' and \\ in the reply as its own")
    folder.mkdir(parents=True)
    port = free_port()
    asks = f"ssl_verify_client on; ssl_client_certificate {clients};" if clients else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            address=ADDRESS,
            port=port,
            identity=identity,
            tickets="on" if tickets else "off",
            clients=asks,
            reply=reply,
        )
    )
    command = [program() or "nginx", "-e", "stderr", "-p", str(folder), "-c", str(configuration)]
    return start("nginx", command, port, folder / "log")
