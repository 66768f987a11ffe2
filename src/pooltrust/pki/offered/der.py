"""Just enough DER (X.690) to say what a private key is that no library would read.

Bounded: it looks at the first elements of a structure and at nothing else.
"""

from __future__ import annotations

INTEGER, OCTETS, OBJECT, SEQUENCE = 0x02, 0x04, 0x06, 0x30
_LONGEST_OBJECT = 64


class BadDer(ValueError):
    """These bytes are not the structure that was looked for."""


def element(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first element, which must have this tag, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise BadDer(f"no element of tag {tag:#x}")
    length, start = data[1], 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise BadDer("a length that is not definite")
        length, start = int.from_bytes(data[2 : 2 + count]), 2 + count
    end = start + length
    if end > len(data):
        raise BadDer("an element that is cut off")
    return data[start:end], data[end:]


def algorithm_of_pkcs8(der: bytes) -> tuple[str, bytes]:
    """The algorithm's dotted identifier in a PrivateKeyInfo (RFC 5958), and the key in it."""
    inner, _ = element(der, SEQUENCE)
    _, rest = element(inner, INTEGER)
    algorithm, rest = element(rest, SEQUENCE)
    identifier, _ = element(algorithm, OBJECT)
    key, _ = element(rest, OCTETS)
    return dotted(identifier), key


def has_many_primes(pkcs1: bytes) -> bool:
    """Whether an RSAPrivateKey (RFC 8017, A.1.2) is of version multi."""
    inner, _ = element(pkcs1, SEQUENCE)
    version, _ = element(inner, INTEGER)
    return version == b"\x01"


def dotted(identifier: bytes) -> str:
    """An object identifier's content as text: ``1.3.101.112``."""
    if not 0 < len(identifier) <= _LONGEST_OBJECT or identifier[-1] & 0x80:
        raise BadDer("no object identifier")
    arcs: list[int] = []
    value = 0
    for byte in identifier:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
