"""The private key that a user offers for a server identity.

Refused in the order in which XenAPI's `host.install_server_certificate` does; P-256 and P-384 are
accepted beyond it.  No refusal shows anything of the key.
"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from pooltrust.pki import pemtext
from pooltrust.pki.identity import MOST_KEY_BYTES
from pooltrust.pki.offered import der
from pooltrust.pki.offered.refusals import (
    KeyAlgorithmNotSupported,
    KeyInvalid,
    KeyLengthNotSupported,
    KeyMultiNotSupported,
)
from pooltrust.pki.signatures import SigningKey

LABELS = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")
RSA = "1.2.840.113549.1.1.1"
SHORTEST, LONGEST = 2048, 4096
_CURVES = {"secp256r1": "p256", "secp384r1": "p384", "secp521r1": "p521", "secp224r1": "p224"}


def offered_key(pem: str) -> SigningKey:
    """Read a key in unencrypted PKCS#8, or in the older form of RSA or EC keys.

    Raises KeyInvalid, KeyMultiNotSupported, KeyAlgorithmNotSupported, KeyLengthNotSupported.
    """
    label, content = _only_block(pem)
    if _has_many_primes(label, content):
        raise KeyMultiNotSupported
    key = _loaded(label, content)
    match key:
        case rsa.RSAPrivateKey():
            if not SHORTEST <= key.key_size <= LONGEST:
                raise KeyLengthNotSupported(str(key.key_size))
            return key
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1() | ec.SECP384R1()):
            return key
        case ec.EllipticCurvePrivateKey():
            raise KeyAlgorithmNotSupported(_CURVES.get(key.curve.name, key.curve.name))
    name = type(key).__name__.lstrip("_").removesuffix("PrivateKey").lower()
    raise KeyAlgorithmNotSupported(name)


def _only_block(pem: str) -> tuple[str, bytes]:
    if "ENCRYPTED" in pem:
        raise KeyInvalid("it is encrypted, and there is no way to give its passphrase")
    try:
        found = [(label, each) for label in LABELS for each in pemtext.blocks(pem, label)]
    except pemtext.BadPem as why:
        raise KeyInvalid(str(why)) from why
    if len(found) != 1:
        raise KeyInvalid(f"there must be one PEM block of a private key, there are {len(found)}")
    if len(found[0][1]) > MOST_KEY_BYTES:
        raise KeyInvalid(f"it has over {MOST_KEY_BYTES} bytes")
    return found[0]


def _has_many_primes(label: str, content: bytes) -> bool:
    try:
        if label == "RSA PRIVATE KEY":
            return der.has_many_primes(content)
        algorithm, key = der.algorithm_of_pkcs8(content)
        return algorithm == RSA and der.has_many_primes(key)
    except der.BadDer:
        return False  # whatever it is, it is judged by who reads it


def _loaded(label: str, content: bytes) -> object:
    bits = _rsa_bits(label, content)
    if bits > LONGEST:  # checking such a key takes the library ten seconds
        raise KeyLengthNotSupported(str(bits))
    try:
        return load_der_private_key(content, password=None)
    except UnsupportedAlgorithm as why:
        raise _unknown(label, content) from why
    except (ValueError, TypeError, OverflowError) as why:
        if 0 < bits < SHORTEST:  # the library refuses those with no more than words
            raise KeyLengthNotSupported(str(bits)) from why
        raise KeyInvalid("it can't be read") from why


def _unknown(label: str, content: bytes) -> KeyAlgorithmNotSupported | KeyInvalid:
    try:
        return KeyAlgorithmNotSupported(der.algorithm_of_pkcs8(content)[0])
    except der.BadDer:
        return KeyInvalid("it is of an unknown kind")


def _rsa_bits(label: str, content: bytes) -> int:
    """The length of an RSA key's modulus; 0 for any other key, and for what can't be read."""
    try:
        algorithm, key = RSA, content
        if label != "RSA PRIVATE KEY":
            algorithm, key = der.algorithm_of_pkcs8(content)
        inner, _ = der.element(key, der.SEQUENCE)
        _, rest = der.element(inner, der.INTEGER)
        modulus, _ = der.element(rest, der.INTEGER)
    except der.BadDer:
        return 0
    return int.from_bytes(modulus).bit_length() if algorithm == RSA else 0
