"""PEM text (RFC 7468): blocks of base64 between a BEGIN and an END line.

Knows nothing of what the blocks contain.
"""

from __future__ import annotations

import base64
import binascii
import re

MOST_CHARACTERS = 1024 * 1024
"""The longest text that is read."""


class BadPem(ValueError):
    """This text is no PEM; the words say why."""


def blocks(text: str | bytes, label: str) -> list[bytes]:
    """The contents of all blocks with this label, in their order.  Raises BadPem.

    Anything outside of them is passed over, as RFC 7468 asks of readers.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadPem(f"the text is over {MOST_CHARACTERS} characters long")
    # Comments between the blocks may be in any encoding; in Latin-1 every byte is a character.
    plain = text if isinstance(text, str) else bytes(text).decode("latin-1")
    begin = f"-----BEGIN {label}-----"
    found = re.findall(rf"{begin}([A-Za-z0-9+/=\s]*)-----END {label}-----", plain)
    if len(found) != plain.count(begin):
        raise BadPem(f"a block of {label} is damaged or has no end")
    return [_decoded(body, label) for body in found]


def write(label: str, content: bytes) -> str:
    """One block, its lines of 64 characters, with a newline at the end."""
    body = base64.b64encode(content).decode("ascii")
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _decoded(body: str, label: str) -> bytes:
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as why:
        raise BadPem(f"a block of {label} is damaged ({why})") from why
