"""GCP's reader against the local GCP."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from google.api_core.retry import Retry, if_transient_error
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from tests.importer.texts import CANARY, EXACT, LARGEST, showing
from tests.leaks import leaks
from tests.sync.clouds import GCP_KEY, GCP_PROJECT, GCP_TARGET, GcpUnderTest
from tests.sync.harness import Sandbox
from uss.clouds.gcp import GcpTarget
from uss.errors import CloudDeniedError, CloudError
from uss.importer.readers.filters import Filters
from uss.importer.readers.gcp import connect
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.sandbox.faults import Fault, FaultKind

GCP = GcpUnderTest()
PARENT = f"projects/{GCP_PROJECT}"
MakeTarget = Callable[..., GcpTarget]


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[SecretManagerServiceClient]:
    """Google's own client, as the administrator."""
    sandbox.write_vault(GCP.vault())
    with GCP.client(sandbox) as client:
        yield client


def create(client: SecretManagerServiceClient, name: str, *payloads: bytes, **more: Any) -> str:
    """Make a secret with these versions, and return its name."""
    secret: Mapping[str, Any] = {"replication": {"automatic": {}}} | more
    made = client.create_secret(request={"parent": PARENT, "secret_id": name, "secret": secret})
    for data in payloads:
        client.add_secret_version(request={"parent": made.name, "payload": {"data": data}})
    return str(made.name)


def found(target: GcpTarget, **filters: Any) -> dict[str, Listed]:
    """What the list tells, by name."""
    with connect(target, "cloud") as reader:
        return {listed.name: listed for listed in reader.list(Filters(**filters))}


def read(target: GcpTarget, prefix: str) -> dict[str, CloudSecret | Skipped]:
    """All that can be read, by the name without the prefix."""
    with connect(target, "cloud") as reader:
        listed = list(reader.list(Filters(starts_with=prefix)))
        return {entry.name.removeprefix(prefix): reader.read(entry) for entry in listed}


def test_values_are_exact(target: MakeTarget, client: SecretManagerServiceClient, prefix: str) -> None:
    values = EXACT | LARGEST
    for name, text in values.items():
        create(client, prefix + name, b"old", text.encode())
    secrets = read(target(GCP), prefix)
    assert {name: getattr(secret, "text", None) for name, secret in secrets.items()} == values
    for name, secret in secrets.items():
        assert isinstance(secret, CloudSecret)
        assert (secret.listed.source, secret.version) == (f"{PARENT}/secrets/{prefix}{name}", "2")
        assert secret.text not in repr(secret)


def test_labels_annotations_and_locations_are_told(
    target: MakeTarget, client: SecretManagerServiceClient, prefix: str
) -> None:
    replicas = [{"location": "europe-west1"}, {"location": "europe-west4"}]
    create(
        client,
        prefix,
        b"x",
        labels={"team": "shop"},
        annotations={"owner": "Jo Doe"},
        replication={"user_managed": {"replicas": replicas}},
    )
    [secret] = read(target(GCP), prefix).values()
    assert isinstance(secret, CloudSecret)
    assert secret.listed.tags == {"labels/team": "shop", "annotations/owner": "Jo Doe"}
    assert secret.replicas == secret.listed.replicas == ("europe-west1", "europe-west4")
    assert [*found(target(GCP), tags={"owner": "Jo Doe", "team": "shop"}, name=prefix)] == [prefix]
    assert found(target(GCP), tags={"owner": "Jo"}, name=prefix) == {}


def test_more_than_a_page_is_listed(
    sandbox: Sandbox,
    target: MakeTarget,
    client: SecretManagerServiceClient,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("uss.importer.readers.gcp._PAGE", 10)
    names = [f"{prefix}{number:03}" for number in range(25)]
    for name in names:
        create(client, name)
    sandbox.control.reset_calls()
    assert sorted(found(target(GCP), contains=prefix)) == names
    assert sandbox.control.calls()["gcp"]["secretmanager.ListSecrets"] > 2


def test_what_has_no_text_is_told(target: MakeTarget, client: SecretManagerServiceClient, prefix: str) -> None:
    create(client, f"{prefix}binary", b"\xff\xfe")
    create(client, f"{prefix}none")
    for name, change in (
        ("disabled", client.disable_secret_version),
        ("destroyed", client.destroy_secret_version),
    ):
        change(request={"name": f"{create(client, prefix + name, b'old', b'x')}/versions/2"})
    secrets = read(target(GCP), prefix)
    assert {name: secret.reason for name, secret in secrets.items() if isinstance(secret, Skipped)} == {
        "binary": "is binary: it is not UTF-8 text",
        "none": "has no version, or is gone meanwhile",
        "disabled": "has a latest version that is disabled or destroyed",
        "destroyed": "has a latest version that is disabled or destroyed",
    }


@pytest.mark.parametrize("identity", [{}, {"syncIdentity": None}, {"syncIdentity": None, "pamConfiguration": None}])
def test_impersonated_account_key_or_the_machine_read(
    sandbox: Sandbox, target: MakeTarget, client: SecretManagerServiceClient, prefix: str, identity: dict[str, None]
) -> None:
    create(client, prefix, b"x")
    ambient = {"ambientCredentials": True, "project": GCP_PROJECT}
    assert [*read(target(GCP, **ambient, **identity), prefix)] == [""]


def test_nothing_of_google_is_asked_where_the_endpoints_are_others(
    target: MakeTarget, client: SecretManagerServiceClient, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(client, prefix, b"x")
    hosts, resolve = set(), socket.getaddrinfo

    def recorded(host: Any, *arguments: Any, **more: Any) -> Any:
        hosts.add(host)
        return resolve(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", recorded)
    for identity in ({}, {"syncIdentity": None}):
        assert [*read(target(GCP, **identity), prefix)] == [""]
    assert hosts == {"localhost"}


def test_the_real_google_is_asked_as_its_client_does(target: MakeTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", "GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT"):
        monkeypatch.delenv(name)
    with connect(target(GCP, syncIdentity=None), "cloud") as reader:
        transport = reader._client.transport
        assert (transport.kind, transport.host) == ("grpc", "secretmanager.googleapis.com:443")


def test_a_denied_list_is_one_error_with_the_mend(target: MakeTarget) -> None:
    content = GCP.vault()
    content["clouds"]["gcp"]["serviceAccounts"][0]["allows"] = ["secretmanager.versions.access"]
    with pytest.raises(CloudDeniedError) as caught:
        found(target(GCP, content))
    assert str(caught.value).startswith(
        f'configuration "cloud": the service account {GCP_TARGET} may not list the secrets of the project '
        f"{GCP_PROJECT}: it lacks secretmanager.secrets.list. Allow it that, and start the import again. GCP says: "
    )


def test_a_service_that_is_off_is_told(target: MakeTarget) -> None:
    content = GCP.vault()
    content["clouds"]["gcp"]["projects"] = [{"id": GCP_PROJECT, "disabledServices": ["secretmanager.googleapis.com"]}]
    with pytest.raises(CloudError, match="Enable the API secretmanager.googleapis.com there"):
        found(target(GCP, content))


def test_a_denied_read_is_of_the_one_secret(
    sandbox: Sandbox, target: MakeTarget, client: SecretManagerServiceClient, prefix: str
) -> None:
    for name in "abc":
        create(client, prefix + name, b"x")
    sandbox.control.add_fault(Fault("gcp", "secretmanager.AccessSecretVersion", FaultKind.DENIED, after=1, times=1))
    secrets = read(target(GCP), prefix)
    [reason] = [secret.reason for secret in secrets.values() if isinstance(secret, Skipped)]
    assert reason.startswith("may not be read: allow secretmanager.versions.access on it")
    assert len(secrets) == 3


@pytest.mark.parametrize("kind", [FaultKind.THROTTLED, FaultKind.ERROR, FaultKind.DROPPED])
def test_what_passes_is_waited_for(
    sandbox: Sandbox, target: MakeTarget, client: SecretManagerServiceClient, prefix: str, kind: FaultKind
) -> None:
    create(client, prefix, b"x")
    for operation in ("secretmanager.ListSecrets", "secretmanager.AccessSecretVersion"):
        sandbox.control.add_fault(Fault("gcp", operation, kind, times=2))
    [secret] = read(target(GCP), prefix).values()
    assert isinstance(secret, CloudSecret)


def test_a_wrong_identity_is_told(target: MakeTarget) -> None:
    told = rf"GCP does not accept the service account {GCP_TARGET}\. Check .* Token Creator on it\. GCP says: .*getAcc"
    with pytest.raises(CloudDeniedError, match=told):
        found(target(GCP, GCP.vault(trusted=False)))
    stranger, email = target(GCP, syncIdentity=None), "no@x.iam.gserviceaccount.com"
    object.__setattr__(stranger, "credentials", str(stranger.credentials).replace(GCP_KEY["client_email"], email))
    with pytest.raises(CloudDeniedError, match="does not accept the service account no@x.iam"):
        found(stranger)


def test_a_malformed_key_is_told_without_it(target: MakeTarget) -> None:
    made = target(GCP)
    object.__setattr__(made, "credentials", str(made.credentials).replace("BEGIN PRIVATE KEY", CANARY))
    with pytest.raises(CloudError, match="Paste the whole JSON file") as caught:
        connect(made, "cloud")
    assert leaks(showing(caught.value), CANARY) == {}


def test_a_machine_without_an_identity_is_told(target: MakeTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    made = target(GCP, pamConfiguration=None, syncIdentity=None, ambientCredentials=True, project=GCP_PROJECT)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    with pytest.raises(CloudDeniedError, match="Enter a service account key in the PAM Configuration"):
        connect(made, "cloud")


def test_a_cloud_that_is_not_there_is_told(target: MakeTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uss.importer.readers.gcp._RETRY", None)
    monkeypatch.setenv("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", "http://127.0.0.1:9/v1/")
    with pytest.raises(CloudError, match=r"there was no answer from it \(ConnectionError\)\. Check the network"):
        found(target(GCP))


def test_a_garbled_answer_shows_no_value(
    sandbox: Sandbox, target: MakeTarget, client: SecretManagerServiceClient, prefix: str
) -> None:
    create(client, prefix, CANARY.encode())
    sandbox.control.add_fault(Fault("gcp", "secretmanager.AccessSecretVersion", FaultKind.GARBLED))
    with pytest.raises(CloudError, match="its answer cannot be read") as caught:
        read(target(GCP), prefix)
    assert leaks(showing(caught.value), CANARY) == {}


def test_what_does_not_pass_is_told(
    sandbox: Sandbox,
    target: MakeTarget,
    client: SecretManagerServiceClient,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "uss.importer.readers.gcp._RETRY", Retry(predicate=if_transient_error, initial=0.1, timeout=0.5)
    )
    create(client, prefix, b"x")
    sandbox.control.add_fault(Fault("gcp", "secretmanager.AccessSecretVersion", FaultKind.THROTTLED))
    with pytest.raises(CloudError, match=r"failed for longer than the import waits \(TooManyRequests\)\. Start the"):
        read(target(GCP), prefix)
