"""AWS's reader against the local AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.importer.texts import CANARY, EXACT, LARGEST, showing
from tests.leaks import leaks
from tests.sync.clouds import AwsUnderTest
from tests.sync.harness import KEY_ID, ROLE, Sandbox
from uss.clouds.aws import AwsTarget
from uss.errors import CloudDeniedError, CloudError
from uss.importer.readers.aws import _listed, _pushed, connect
from uss.importer.readers.filters import Filters
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.sandbox.faults import Fault, FaultKind

AWS = AwsUnderTest()
MakeTarget = Callable[..., AwsTarget]


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Any]:
    """AWS's own client, as the administrator."""
    with closing(sandbox.aws()) as client:
        yield client


def found(target: AwsTarget, **filters: Any) -> dict[str, Listed]:
    """What the list tells, by name."""
    with connect(target, "cloud") as reader:
        return {listed.name: listed for listed in reader.list(Filters(**filters))}


def read(target: AwsTarget, prefix: str) -> dict[str, CloudSecret | Skipped]:
    """All that can be read, by the name without the prefix."""
    with connect(target, "cloud") as reader:
        listed = list(reader.list(Filters(starts_with=prefix)))
        return {entry.name.removeprefix(prefix): reader.read(entry) for entry in listed}


def test_values_are_exact(target: MakeTarget, client: Any, prefix: str) -> None:
    values = EXACT | LARGEST
    ids = {name: client.create_secret(Name=prefix + name, SecretString=text) for name, text in values.items()}
    secrets = read(target(AWS), prefix)
    assert {name: getattr(secret, "text", None) for name, secret in secrets.items()} == values
    for name, secret in secrets.items():
        assert isinstance(secret, CloudSecret)
        assert (secret.listed.source, secret.version) == (ids[name]["ARN"], ids[name]["VersionId"])
        assert secret.text not in repr(secret)


def test_the_current_version_is_read(target: MakeTarget, client: Any, prefix: str) -> None:
    client.create_secret(Name=prefix, SecretString="old")
    client.put_secret_value(SecretId=prefix, SecretString="new")
    client.put_secret_value(SecretId=prefix, SecretString="next", VersionStages=["AWSPENDING"])
    [secret] = read(target(AWS), prefix).values()
    assert isinstance(secret, CloudSecret)
    assert secret.text == "new"


def test_tags_and_descriptions_are_told(target: MakeTarget, client: Any, prefix: str) -> None:
    client.create_secret(
        Name=f"{prefix}a", SecretString="x", Description="Of the shop", Tags=[{"Key": "team", "Value": "shop"}]
    )
    client.create_secret(Name=f"{prefix}b", SecretString="x")
    listed = found(target(AWS), starts_with=prefix)
    assert (listed[f"{prefix}a"].description, listed[f"{prefix}a"].tags) == ("Of the shop", {"team": "shop"})
    assert (listed[f"{prefix}b"].description, listed[f"{prefix}b"].tags) == ("", {})
    assert [*found(target(AWS), starts_with=prefix, tags={"team": "shop"})] == [f"{prefix}a"]


def test_more_than_a_page_is_listed(sandbox: Sandbox, target: MakeTarget, client: Any, prefix: str) -> None:
    names = [f"{prefix}{number:03}" for number in range(230)]
    for name in names:
        client.create_secret(Name=name, SecretString="x")
    sandbox.control.reset_calls()
    assert sorted(found(target(AWS), contains=prefix)) == names
    assert sandbox.calls()["secretsmanager:ListSecrets"] > 2
    sandbox.control.reset_calls()
    assert [*found(target(AWS), name=names[7])] == [names[7]]
    assert sandbox.calls() == {"secretsmanager:ListSecrets": 1}


@pytest.mark.parametrize("beginning", ["", "!a", "a b", "a*", "x" * 513])
def test_what_aws_would_read_otherwise_is_not_left_to_it(beginning: str) -> None:
    assert _pushed(Filters(starts_with=beginning)) == []


def test_what_cannot_be_imported_is_told(target: MakeTarget, client: Any, prefix: str) -> None:
    for name in ("binary", "deleted", "hidden"):
        client.create_secret(Name=prefix + name, SecretBinary=b"\xff\xfe")
    client.create_secret(Name=f"{prefix}valueless")
    client.delete_secret(SecretId=f"{prefix}deleted", RecoveryWindowInDays=7)
    listed = found(target(AWS), starts_with=prefix)
    problems = {name: entry.problem for name, entry in listed.items() if entry.problem}
    [(name, problem)] = problems.items()
    assert name == f"{prefix}deleted"
    assert str(problem).startswith("is marked for deletion (2")
    secrets = read(target(AWS), prefix)
    reasons = {name: secret.reason for name, secret in secrets.items() if isinstance(secret, Skipped)}
    assert reasons["binary"] == "is binary"
    assert reasons["valueless"] == "has no current value, or is gone meanwhile"
    assert reasons["deleted"].startswith("was marked for deletion meanwhile")


def test_replicas_are_told_and_belong_to_their_primary(target: MakeTarget, client: Any, prefix: str) -> None:
    client.create_secret(Name=prefix, SecretString="x", AddReplicaRegions=[{"Region": "eu-west-1"}])
    [secret] = read(target(AWS), prefix).values()
    assert isinstance(secret, CloudSecret)
    assert (secret.listed.problem, secret.listed.replicas, secret.replicas) == (None, None, ("eu-west-1",))
    [replica] = found(target(AWS, regions=["eu-west-1"]), starts_with=prefix).values()
    assert replica.problem == "is a replica of the secret in us-east-1: import it from there"
    content = AWS.vault()
    allowed = ["secretsmanager:ListSecrets", "secretsmanager:GetSecretValue"]
    content["clouds"]["aws"]["roles"][0]["allows"] = allowed
    [secret] = read(target(AWS, content), prefix).values()
    assert isinstance(secret, CloudSecret)
    assert (secret.text, secret.replicas) == ("x", None)


def test_a_secret_that_aws_changes_by_itself_is_left_out() -> None:
    now = datetime(2026, 8, 1, tzinfo=UTC)
    entry: Any = {"Name": "rds!db-1", "ARN": "arn", "OwningService": "rds"}
    assert _listed(entry, "us-east-1").problem == "is managed by the AWS service rds, which changes its value"
    rotated: Any = {"Name": "n", "ARN": "arn", "RotationEnabled": True}
    assert "turn its rotation off first" in str(_listed(rotated, "us-east-1").problem)
    assert _listed(rotated | {"RotationEnabled": False}, "us-east-1").problem is None
    assert _listed(entry | {"DeletedDate": now}, "us-east-1").problem == "is marked for deletion (2026-08-01)"


@pytest.mark.parametrize("identity", [{}, {"syncIdentity": None}, {"syncIdentity": None, "pamConfiguration": None}])
def test_role_keys_or_the_machine_read(target: MakeTarget, client: Any, prefix: str, identity: dict[str, None]) -> None:
    client.create_secret(Name=prefix, SecretString="x")
    ambient = {"ambientCredentials": True, "regions": ["us-east-1"]}
    assert [*found(target(AWS, **ambient, **identity), name=prefix)] == [prefix]


def test_a_role_that_asks_for_an_external_id_reads(target: MakeTarget, client: Any, prefix: str) -> None:
    client.create_secret(Name=prefix, SecretString="x")
    content = AWS.vault()
    content["clouds"]["aws"]["roles"][0]["externalId"] = "acme-7"
    with pytest.raises(CloudDeniedError, match="does not accept the role"):
        found(target(AWS, content), name=prefix)
    assert [*found(target(AWS, content, externalId="acme-7"), name=prefix)] == [prefix]


def test_a_denied_list_is_one_error_with_the_mend(target: MakeTarget) -> None:
    content = AWS.vault()
    content["clouds"]["aws"]["roles"][0]["allows"] = ["secretsmanager:GetSecretValue"]
    with pytest.raises(CloudDeniedError) as caught:
        found(target(AWS, content))
    told = str(caught.value)
    assert told.startswith(
        f'configuration "cloud": the role {ROLE} may not list the secrets in us-east-1: it lacks '
        "secretsmanager:ListSecrets. Allow it that, and start the import again. AWS says: "
    )
    assert "/keeper-uss-import-cloud is not authorized" in told


def test_a_denied_read_is_of_the_one_secret(sandbox: Sandbox, target: MakeTarget, client: Any, prefix: str) -> None:
    for name in "abc":
        client.create_secret(Name=prefix + name, SecretString="x")
    sandbox.control.add_fault(Fault("aws", "secretsmanager:GetSecretValue", FaultKind.DENIED, after=1, times=1))
    secrets = read(target(AWS), prefix)
    [reason] = [secret.reason for secret in secrets.values() if isinstance(secret, Skipped)]
    assert reason.startswith("may not be read: allow secretsmanager:GetSecretValue on it")
    assert len(secrets) == 3


def test_a_secret_that_goes_meanwhile_is_told(target: MakeTarget, client: Any, prefix: str) -> None:
    client.create_secret(Name=prefix, SecretString="x")
    with connect(target(AWS), "cloud") as reader:
        [listed] = reader.list(Filters(name=prefix))
        client.delete_secret(SecretId=prefix, ForceDeleteWithoutRecovery=True)
        assert reader.read(listed) == Skipped(listed, "has no current value, or is gone meanwhile")


@pytest.mark.parametrize("kind", [FaultKind.THROTTLED, FaultKind.ERROR, FaultKind.DROPPED])
def test_what_passes_is_waited_for(
    sandbox: Sandbox, target: MakeTarget, client: Any, prefix: str, kind: FaultKind
) -> None:
    client.create_secret(Name=prefix, SecretString="x")
    sandbox.control.add_fault(Fault("aws", "*", kind, times=2))
    sandbox.control.add_fault(Fault("aws", "secretsmanager:GetSecretValue", kind, times=2))
    [secret] = read(target(AWS), prefix).values()
    assert isinstance(secret, CloudSecret)


def test_a_wrong_identity_is_told(target: MakeTarget) -> None:
    with pytest.raises(CloudDeniedError, match=rf"AWS does not accept the role {ROLE}\. Let the role's trust policy"):
        found(target(AWS, AWS.vault(trusted=False)))
    wrong = target(AWS, AWS.vault(), syncIdentity=None)
    object.__setattr__(wrong, "secret_access_key", CANARY)
    with pytest.raises(CloudDeniedError, match="does not accept the user of the PAM Configuration's") as caught:
        found(wrong)
    assert leaks(showing(caught.value), CANARY) == {}
    assert KEY_ID not in str(caught.value)


def test_a_machine_without_an_identity_is_told(target: MakeTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    made = target(AWS, pamConfiguration=None, regions=["us-east-1"])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(CloudDeniedError, match="Enter access keys in the PAM Configuration"):
        connect(made, "cloud")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CloudDeniedError, match=r"The config profile \(nobody\) could not be found"):
        connect(made, "cloud")


def test_a_cloud_that_is_not_there_is_told(target: MakeTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uss.importer.readers.aws._RETRIES", {"mode": "standard", "total_max_attempts": 1})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(CloudError, match=r"no answer from http://127.0.0.1:9/ \(EndpointConnectionError\)\. Check the"):
        found(target(AWS))


def test_a_garbled_answer_shows_no_value(sandbox: Sandbox, target: MakeTarget, client: Any, prefix: str) -> None:
    client.create_secret(Name=prefix, SecretString=CANARY)
    sandbox.control.add_fault(Fault("aws", "secretsmanager:GetSecretValue", FaultKind.GARBLED))
    with pytest.raises(CloudError, match="its answer cannot be read") as caught:
        read(target(AWS), prefix)
    assert leaks(showing(caught.value), CANARY) == {}


def test_what_does_not_pass_is_told(
    sandbox: Sandbox, target: MakeTarget, client: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uss.importer.readers.aws._RETRIES", {"mode": "standard", "total_max_attempts": 2})
    client.create_secret(Name=prefix, SecretString="x")
    sandbox.control.add_fault(Fault("aws", "secretsmanager:GetSecretValue", FaultKind.THROTTLED))
    with pytest.raises(CloudError, match="when asked to give a secret's value: it says ThrottlingException. Start the"):
        read(target(AWS), prefix)
