"""Google's own client, unmodified, against the local Secret Manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import google_crc32c
import pytest
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.auth import impersonated_credentials

from tests.sandbox.gcp.conftest import KEY, PROJECT, READER, SCOPES, TARGET, Client, Connect
from uss.sandbox.faults import Fault, FaultBoard, FaultKind
from uss.sandbox.gcp import GcpServer, service_account_key

PARENT = f"projects/{PROJECT}"
AUTOMATIC: dict[str, Any] = {"replication": {"automatic": {}}}


def create(client: Client, secret_id: str = "db", **content: Any) -> str:  # noqa: S107 - a secret's name
    """Create a secret and return its name."""
    request = {"parent": PARENT, "secret_id": secret_id, "secret": AUTOMATIC | content}
    return client.create_secret(request=request).name


def add(client: Client, name: str, data: bytes) -> str:
    """Add a version and return its name."""
    return client.add_secret_version(request={"parent": name, "payload": {"data": data}}).name


def access(client: Client, name: str, version: str = "latest") -> bytes:
    """Return a version's value."""
    return client.access_secret_version(request={"name": f"{name}/versions/{version}"}).payload.data


def test_a_secret_lives_with_labels_annotations_and_replication(connect: Connect) -> None:
    client = connect()
    user_managed = {"user_managed": {"replicas": [{"location": "europe-west1"}, {"location": "us-east1"}]}}
    name = create(client, "db", labels={"team": "a"}, annotations={"Title": "My DB"}, replication=user_managed)
    assert name == f"{PARENT}/secrets/db"
    client.update_secret(
        request={"secret": {"name": name, "labels": {"team": "b"}, "annotations": {}}, "update_mask": "labels"}
    )
    found = client.get_secret(request={"name": name})
    assert dict(found.labels) == {"team": "b"}
    assert dict(found.annotations) == {"Title": "My DB"}
    assert [replica.location for replica in found.replication.user_managed.replicas] == ["europe-west1", "us-east1"]
    client.delete_secret(request={"name": name})
    with pytest.raises(exceptions.NotFound):
        client.get_secret(request={"name": name})
    assert create(client) == name


@pytest.mark.parametrize("data", [b"text", "日本\n ".encode(), b"\x00\xff\xfe", b"x" * 65_536])
def test_values_come_back_to_the_byte_with_their_checksum(connect: Connect, data: bytes) -> None:
    client = connect()
    name = create(client)
    add(client, name, data)
    payload = client.access_secret_version(request={"name": f"{name}/versions/latest"}).payload
    assert payload.data == data
    assert payload.data_crc32c == google_crc32c.value(data)


def test_latest_is_the_highest_version_whatever_its_state(connect: Connect) -> None:
    client = connect()
    name = create(client)
    add(client, name, b"one")
    second = add(client, name, b"two")
    assert second.endswith("/versions/2")
    assert access(client, name) == b"two"
    client.disable_secret_version(request={"name": second})
    with pytest.raises(exceptions.BadRequest, match="DISABLED"):
        access(client, name)
    assert access(client, name, "1") == b"one"
    client.enable_secret_version(request={"name": second})
    assert access(client, name) == b"two"
    client.destroy_secret_version(request={"name": second})
    with pytest.raises(exceptions.BadRequest, match="DESTROYED"):
        client.enable_secret_version(request={"name": second})
    states = [version.state.name for version in client.list_secret_versions(request={"parent": name})]
    assert states == ["DESTROYED", "ENABLED"]


@pytest.mark.parametrize(
    ("secret_id", "content", "error"),
    [
        ("a b", {}, exceptions.BadRequest),
        ("x" * 256, {}, exceptions.BadRequest),
        ("ok", {"replication": {}}, exceptions.BadRequest),
        ("ok", {"labels": {"Upper": "x"}}, exceptions.BadRequest),
        ("ok", {"labels": {"a": "x/y"}}, exceptions.BadRequest),
        ("ok", {"labels": {f"k{number}": "" for number in range(65)}}, exceptions.BadRequest),
        ("ok", {"annotations": {"a": "x" * 16_384}}, exceptions.BadRequest),
    ],
)
def test_what_the_api_does_not_take_is_refused(
    connect: Connect, secret_id: str, content: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        create(connect(), secret_id, **content)


@pytest.mark.parametrize("data", [b"", b"x" * 65_537])
def test_a_payload_that_is_empty_or_too_large_is_refused(connect: Connect, data: bytes) -> None:
    client = connect()
    name = create(client)
    with pytest.raises(exceptions.BadRequest):
        add(client, name, data)


def test_a_taken_name_is_refused(connect: Connect) -> None:
    client = connect()
    create(client)
    with pytest.raises(exceptions.Conflict):
        create(client)


def test_secrets_are_listed_in_pages_and_by_filter(connect: Connect) -> None:
    client = connect()
    for number in range(7):
        create(client, f"s{number}", labels={"even": "yes" if number % 2 == 0 else "no"})
    assert len(list(client.list_secrets(request={"parent": PARENT, "page_size": 3}))) == 7
    found = client.list_secrets(request={"parent": PARENT, "filter": "labels.even=yes AND name:s"})
    assert [secret.name.rpartition("/")[2] for secret in found] == ["s0", "s2", "s4", "s6"]


def test_grants_are_enforced_by_permission_and_project(connect: Connect, credentials: Callable[..., Any]) -> None:
    name = create(connect())
    reader = connect(credentials(READER))
    with pytest.raises(exceptions.Forbidden, match=r"secretmanager\.secrets\.get"):
        reader.get_secret(request={"name": name})
    with pytest.raises(exceptions.Forbidden, match=r"secretmanager\.secrets\.create"):
        connect().create_secret(request={"parent": "projects/nowhere", "secret_id": "x", "secret": AUTOMATIC})
    assert connect().create_secret(request={"parent": "projects/other-project", "secret_id": "x", "secret": AUTOMATIC})


def test_impersonation_needs_token_creator(gcp: GcpServer, connect: Connect, credentials: Callable[..., Any]) -> None:
    def impersonating(key: dict[str, Any]) -> Any:
        endpoint = f"{gcp.url}/v1/projects/-/serviceAccounts/{TARGET}:generateAccessToken"
        return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth has no types here
            credentials(key), TARGET, SCOPES, iam_endpoint_override=endpoint
        )

    assert create(connect(impersonating(KEY)))
    with pytest.raises(auth_exceptions.RefreshError, match=r"iam\.serviceAccounts\.getAccessToken"):
        create(connect(impersonating(READER)))


def test_a_key_that_is_not_known_or_not_the_accounts_is_refused(
    connect: Connect, credentials: Callable[..., Any]
) -> None:
    stranger = service_account_key("stranger", PROJECT, "")
    with pytest.raises(auth_exceptions.RefreshError, match="account not found"):
        create(connect(credentials(stranger)))
    with pytest.raises(auth_exceptions.RefreshError, match="Invalid JWT Signature"):
        create(connect(credentials(KEY | {"private_key": stranger["private_key"]})))


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.DENIED, exceptions.Forbidden),
        (FaultKind.ERROR, exceptions.InternalServerError),
        (FaultKind.THROTTLED, exceptions.TooManyRequests),
    ],
)
def test_faults_look_as_the_services_own(
    connect: Connect, faults: FaultBoard, kind: FaultKind, error: type[Exception]
) -> None:
    client = connect()
    name = create(client)
    faults.add(Fault("gcp", "secretmanager.GetSecret", kind))
    with pytest.raises(error):
        client.get_secret(request={"name": name}, retry=None)
    faults.clear()
    assert client.get_secret(request={"name": name}).name == name
    assert faults.calls()["gcp"]["secretmanager.CreateSecret"] == 1


def test_the_dump_has_values_states_and_marks(
    gcp: GcpServer, connect: Connect, credentials: Callable[..., Any]
) -> None:
    client = connect(credentials(gcp.ambient))
    name = create(client, "db", labels={"team": "a"})
    add(client, name, b"one")
    add(client, name, b"two")
    client.disable_secret_version(request={"name": f"{name}/versions/1"})
    found = gcp.dump()[PROJECT]["db"]
    assert (found["value"], found["versions"], found["labels"]) == (
        "two",
        {"1": "DISABLED", "2": "ENABLED"},
        {"team": "a"},
    )
