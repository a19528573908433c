"""What the real provider said where an identity, a right or the service was missing, said again by the stand-in.

The lines are out of recordings of the real provider on this sandbox; `recording` names each one's run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from tests.sandbox.gcp.kit import AUTOMATIC, PAM_EMAIL, PARENT, PROJECT, SYNC_EMAIL, Gcp, content, key_file
from tests.sandbox.providers.harness import Connect, Connection, struct

RECORDED = Path(__file__).parent / "recorded" / "gcp_refusals.jsonl"
CALLS = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
STATUS = "rpc error: code = Unknown desc = "
BROKEN = key_file(private_key="-----BEGIN PRIVATE KEY-----\nnone\n")
ELSEWHERE = key_file(token_uri="https://oauth2.example.invalid/token")


@dataclass(frozen=True)
class Situation:
    """What the sandbox and the provider's settings are like."""

    gcp: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    there: Callable[[Gcp], object] = lambda gcp: None


def account(*allows: str, impersonators: tuple[str, ...] = (PAM_EMAIL,)) -> dict[str, Any]:
    """The Sync Identity with these rights."""
    return {"serviceAccounts": [{"email": SYNC_EMAIL, "allows": list(allows), "impersonators": list(impersonators)}]}


def empty_secret(name: str) -> Callable[[Gcp], object]:
    """Make a secret without a version."""
    return lambda gcp: gcp.client().create_secret(parent=PARENT, secret_id=name, secret=AUTOMATIC)


IMPERSONATED = {"impersonateServiceAccount": SYNC_EMAIL}
UNTRUSTED = Situation(account("*", impersonators=()), IMPERSONATED)
UNKNOWN = Situation(settings={"impersonateServiceAccount": f"nobody@{PROJECT}.iam.gserviceaccount.com"})
SWITCHED_OFF = Situation({"projects": [{"id": "bare-project", "disabledServices": ["secretmanager.googleapis.com"]}]})
SITUATIONS = {
    "w": UNTRUSTED,
    "n": UNKNOWN,
    "k-badpem-noimp": Situation(settings={"credentials": json.dumps(BROKEN)}),
    "k-badpem": Situation(settings={"credentials": json.dumps(BROKEN)} | IMPERSONATED),
    "k-badtokenuri-noimp": Situation(settings={"credentials": json.dumps(ELSEWHERE)}),
    "k-badtokenuri": Situation(settings={"credentials": json.dumps(ELSEWHERE)} | IMPERSONATED),
    "api": SWITCHED_OFF,
    "x-list": Situation(account("*.get", "*.create"), IMPERSONATED),
    "x-create": Situation(account("*.get", "*.list"), IMPERSONATED),
    "x-get": Situation(there=empty_secret("norightsget-First")),
    "y1": Situation(there=empty_secret("foreign-Taken")),
}
"""By the beginning of a recording's name, the longest that fits."""


def situation(recording: str) -> Situation:
    """In what a recording was made."""
    return SITUATIONS[max((name for name in SITUATIONS if recording.startswith(name)), key=len)]


def plain(value: Any) -> Any:
    """Properties without what the bridge of the real provider adds to them."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if not key.startswith("__")}
    return value


def play(provider: Connection, call: dict[str, Any]) -> None:
    """Do a recorded call."""
    request = call["request"]
    if call["method"] == "Invoke":
        provider.invoke(request["tok"], **request["args"])
        return
    properties = struct(plain(request["properties"]))
    provider.stub.Create(provider_pb2.CreateRequest(urn=request["urn"], type=request["type"], properties=properties))


@pytest.mark.parametrize("call", CALLS, ids=[f"{call['recording']}-{call['method']}" for call in CALLS])
def test_a_refusal_is_worded_as_the_real_providers(gcp: Gcp, connect_gcp: Connect, call: dict[str, Any]) -> None:
    made = situation(call["recording"])
    gcp.change_vault(content(**made.gcp))
    made.there(gcp)
    provider = connect_gcp(**made.settings)
    with pytest.raises(grpc.RpcError) as refused:
        play(provider, call)
    assert isinstance(refused.value, grpc.Call)
    assert refused.value.details() == call["errors"][0].removeprefix(STATUS)
