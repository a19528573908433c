"""Faults and counters, and what a client sees of them."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from google.api_core.exceptions import Forbidden, InternalServerError, NotFound, TooManyRequests
from google.auth.exceptions import RefreshError

from tests.sandbox.gcp.kit import AUTOMATIC, PARENT, PROJECT, SYNC_EMAIL, Gcp, key_file
from uss.sandbox.faults import Fault, FaultKind

CREATE = "secretmanager.CreateSecret"


def create(client: Any, name: str = "database") -> None:
    client.create_secret(parent=PARENT, secret_id=name, secret=AUTOMATIC)


def ask(gcp: Gcp, kind: FaultKind, operation: str = CREATE, **more: float) -> None:
    gcp.faults.add(Fault("gcp", operation, kind, times=1, seconds=more.get("seconds", 0.0)))


def test_every_call_is_counted_by_the_services_own_name_of_it(gcp: Gcp) -> None:
    client = gcp.client(gcp.impersonated(SYNC_EMAIL, gcp.credentials(key_file())))
    create(client)
    client.add_secret_version(parent=f"{PARENT}/secrets/database", payload={"data": b"x"})
    assert gcp.faults.calls()["gcp"] == {
        "iamcredentials.GenerateAccessToken": 1,
        "oauth2.Token": 1,
        "secretmanager.AddSecretVersion": 1,
        CREATE: 1,
    }


def test_a_denied_call_names_its_permission(gcp: Gcp, client: Any) -> None:
    ask(gcp, FaultKind.DENIED)
    with pytest.raises(Forbidden, match=f"Permission 'secretmanager.secrets.create' denied for resource '{PARENT}'"):
        create(client)
    ask(gcp, FaultKind.DENIED, "iamcredentials.*")
    with pytest.raises(RefreshError, match=r"iam\.serviceAccounts\.getAccessToken"):
        gcp.token(gcp.impersonated(SYNC_EMAIL, gcp.credentials(key_file())))
    ask(gcp, FaultKind.DENIED, "oauth2.*")
    with pytest.raises(RefreshError, match="access_denied"):
        gcp.token(gcp.credentials())


@pytest.mark.parametrize(("seconds", "header"), [(7, "7"), (0, "1")])
def test_a_throttled_call_names_the_quota_and_the_wait(gcp: Gcp, client: Any, seconds: float, header: str) -> None:
    ask(gcp, FaultKind.THROTTLED, seconds=seconds)
    with pytest.raises(TooManyRequests, match="'Write requests per minute' of service 'secretmanager") as refused:
        create(client)
    assert refused.value.response.headers.get("Retry-After") == header
    error = refused.value.response.json()["error"]
    assert (error["status"], error["details"][0]["reason"]) == ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")


def test_the_write_quota_can_be_used_up_while_reads_go_on(gcp: Gcp, client: Any) -> None:
    create(client)
    for writes in ("secretmanager.[CDEU]*", "secretmanager.Add*"):
        gcp.faults.add(Fault("gcp", writes, FaultKind.THROTTLED))
    name = f"{PARENT}/secrets/database"
    assert client.get_secret(name=name)
    assert list(client.list_secret_versions(parent=name)) == []
    with pytest.raises(NotFound):
        client.access_secret_version(name=f"{name}/versions/latest")
    with pytest.raises(TooManyRequests):
        client.delete_secret(name=name)
    with pytest.raises(TooManyRequests):
        client.add_secret_version(parent=name, payload={"data": b"x"})


def test_an_internal_error_is_one_of_the_service(gcp: Gcp, client: Any) -> None:
    ask(gcp, FaultKind.ERROR)
    with pytest.raises(InternalServerError, match="Internal error encountered"):
        create(client)


def test_a_dropped_call_had_no_effect_and_a_lost_one_had(gcp: Gcp, client: Any) -> None:
    ask(gcp, FaultKind.DROPPED)
    with pytest.raises(requests.ConnectionError):
        create(client, "dropped")
    ask(gcp, FaultKind.LOST)
    with pytest.raises(requests.ConnectionError):
        create(client, "lost")
    assert list(gcp.server.dump()[PROJECT]) == ["lost"]


def test_a_garbled_answer_says_success_and_cannot_be_read(gcp: Gcp, client: Any) -> None:
    ask(gcp, FaultKind.GARBLED)
    with pytest.raises(UnicodeDecodeError):
        create(client)


def test_a_slow_answer_comes_late(gcp: Gcp, client: Any) -> None:
    ask(gcp, FaultKind.SLOW, seconds=0.05)
    create(client)
    assert list(gcp.server.dump()[PROJECT]) == ["database"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/projects/p/locations/l/secrets"),
        ("PUT", "/v1/projects/p/secrets/s"),
        ("POST", "/v1/projects/p/secrets/s/versions/1:restore"),
        ("POST", "/v1/projects/-/serviceAccounts/a@b:signBlob"),
    ],
)
def test_what_the_sandbox_does_not_have_is_not_found(gcp: Gcp, method: str, path: str) -> None:
    answer = requests.request(method, gcp.server.url + path, timeout=10)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("Method not found")
    assert gcp.faults.calls()["gcp"] == {"unknown": 1}
    ask(gcp, FaultKind.DENIED, "unknown")
    assert requests.request(method, gcp.server.url + path, timeout=10).status_code == 403


def test_a_body_that_is_no_object_is_refused(gcp: Gcp) -> None:
    headers = {"Authorization": f"Bearer {gcp.token(gcp.credentials())}"}
    for body in (b"[]", b"{", b"\xff"):
        answer = requests.post(
            f"{gcp.server.url}/v1/{PARENT}/secrets?secretId=a", data=body, headers=headers, timeout=10
        )
        assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    url = f"{gcp.server.url}/v1/{PARENT}/secrets"
    assert requests.get(f"{url}?pageToken=x", headers=headers, timeout=10).status_code == 400
