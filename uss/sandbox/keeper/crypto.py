"""The cryptography of Keeper Secrets Manager, as keeper-secrets-manager-core 17.3.0 does it.

Everything is AES-256-GCM (nonce, ciphertext, tag; no associated data), but for folders, which have AES-256-CBC
(initialisation vector, ciphertext; PKCS#7). What is sealed for a public key is ephemeral key, then AES-GCM under the
SHA-256 of the P-256 ECDH secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from uss.sandbox.keeper.exceptions import BadRequestError

_NONCE = 12
_BLOCK = 16
_POINT = 65
_KEY = 32


def to_base64(data: bytes) -> str:
    """Return standard base64 with padding, the only form that all of the SDK's decoders take."""
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """Return the bytes of base64 in either alphabet, padded or not."""
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")).rstrip("=") + "==")
    except (binascii.Error, ValueError):
        raise BadRequestError("A field that should be base64 is not") from None


def random_key() -> bytes:
    """Return a new AES-256 key."""
    return os.urandom(_KEY)


def derive(master: bytes, kind: str, *uids: str) -> bytes:
    """Return the AES-256 key of the thing that `kind` and `uids` name; the same names give the same key."""
    name = "\0".join((kind, *uids)).encode("utf-8", "surrogatepass")
    return hmac.digest(master, name, "sha256")


def seal(key: bytes, data: bytes) -> bytes:
    """Encrypt with AES-GCM."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, None)


def unseal(key: bytes, sealed: bytes) -> bytes:
    """Decrypt what `seal` or the SDK encrypted; raise `BadRequestError` when the key does not open it."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except (InvalidTag, ValueError):
        raise BadRequestError("A field cannot be decrypted with the key that it should have") from None


def seal_cbc(key: bytes, data: bytes) -> bytes:
    """Encrypt with AES-CBC."""
    vector = os.urandom(_BLOCK)
    padder = PKCS7(_BLOCK * 8).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return vector + encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


def unseal_cbc(key: bytes, sealed: bytes) -> bytes:
    """Decrypt AES-CBC; raise `BadRequestError` when the padding shows that the key is wrong."""
    try:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(sealed[:_BLOCK])).decryptor()
        unpadder = PKCS7(_BLOCK * 8).unpadder()
        padded = decryptor.update(sealed[_BLOCK:]) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise BadRequestError("A folder's field cannot be decrypted with the key that it should have") from None


def new_private_key() -> ec.EllipticCurvePrivateKey:
    """Return a new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def private_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as the PKCS#8 DER of a client configuration."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public half as an uncompressed point of 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def unseal_for(key: ec.EllipticCurvePrivateKey, sealed: bytes) -> bytes:
    """Decrypt what was sealed for the public half of `key`; raise `BadRequestError` when it was not."""
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sealed[:_POINT])
    except ValueError:
        raise BadRequestError("A key that is sealed for the service does not start with a public key") from None
    secret = hashlib.sha256(key.exchange(ec.ECDH(), point)).digest()
    return unseal(secret, sealed[_POINT:])


def is_signed(point: bytes, signature: bytes, data: bytes) -> bool:
    """Tell whether `signature` (ECDSA, SHA-256, DER) over `data` was made with the key of the public `point`."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point).verify(signature, data, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
