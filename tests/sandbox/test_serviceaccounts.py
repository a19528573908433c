"""Service account keys as a vault holds them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.leaks import leaks
from tests.sandbox.gcp.kit import PAM_EMAIL, PROJECT, key_file, private_pem
from uss.sandbox.serviceaccounts import read_key


@pytest.mark.parametrize("value", [key_file(), json.dumps(key_file()), "\n" + json.dumps(key_file(), indent=2)])
def test_googles_json_tells_whose_the_key_is(value: Any) -> None:
    key = read_key(value)
    assert (key.email, key.project) == (PAM_EMAIL, PROJECT)
    assert key.public_pem.startswith("-----BEGIN PUBLIC KEY-----")


def test_a_pem_key_private_or_public_is_nobodys() -> None:
    private = read_key(private_pem(PAM_EMAIL))
    assert private == read_key(private.public_pem)
    assert private.public_pem == read_key(key_file()).public_pem
    assert (private.email, private.project) == ("", "")


def elliptic_pem() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )


@pytest.mark.parametrize(
    "value",
    [
        "",
        "canary",
        "[]",
        "{}",
        {},
        key_file(private_key="canary"),
        key_file(private_key=7),
        {"private_key": private_pem(PAM_EMAIL)},
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\ncanary\n-----END PUBLIC KEY-----",
        elliptic_pem(),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^is n(either|ot)") as refused:
        read_key(value)
    assert leaks(str(refused.value), "canary") == {}
