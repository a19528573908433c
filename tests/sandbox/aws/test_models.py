"""Who may do what, and Secrets Manager's rules, seen by boto3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import (
    ACCOUNT,
    GUARDED_ROLE,
    OTHER_ACCOUNT,
    OTHER_ROLE,
    PAM_KEY,
    READER_KEY,
    ROLE,
    Clients,
    VaultHolder,
)
from uss.sandbox.aws import AwsServer
from uss.sandbox.aws.models import access_keys
from uss.sandbox.vaultclouds import AwsAccessKey
from uss.sandbox.vaultfile import Vault


@contextmanager
def refused(code: str, *, message: str = "", status: int = 400) -> Iterator[None]:
    with pytest.raises(ClientError) as caught:
        yield
    response: Any = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert message in response["Error"]["Message"]


def test_the_key_of_a_pam_configuration_may_do_everything(clients: Clients) -> None:
    client = clients.secrets(PAM_KEY)
    client.create_secret(Name="database", SecretString="hunter2")
    assert client.get_secret_value(SecretId="database")["SecretString"] == "hunter2"
    assert clients.sts(PAM_KEY).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/pam-pam"


def test_a_wrong_secret_key_is_refused_in_both_protocols(clients: Clients) -> None:
    wrong = PAM_KEY.model_copy(update={"secret_access_key": "another"})
    with refused("InvalidSignatureException"):
        clients.secrets(wrong).list_secrets()
    with refused("SignatureDoesNotMatch", status=403):
        clients.sts(wrong).get_caller_identity()


def test_an_unknown_access_key_is_refused_in_both_protocols(clients: Clients) -> None:
    unknown = AwsAccessKey(access_key_id="AKIANOBODYNOBODYNOB1", secret_access_key="x")
    with refused("UnrecognizedClientException"):
        clients.secrets(unknown).list_secrets()
    with refused("InvalidClientTokenId", status=403):
        clients.sts(unknown).get_caller_identity()


def test_what_a_key_is_not_allowed_is_denied_by_name(clients: Clients) -> None:
    clients.secrets().create_secret(Name="database", SecretString="hunter2")
    reader = clients.secrets(READER_KEY)
    assert reader.get_secret_value(SecretId="database")["SecretString"] == "hunter2"
    with refused(
        "AccessDeniedException",
        message=f"User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: secretsmanager:DeleteSecret "
        "on resource: database",
    ):
        reader.delete_secret(SecretId="database")


def test_a_key_listed_in_clouds_overrides_the_rights_of_a_pam_configurations_key(
    clients: Clients, vault: VaultHolder
) -> None:
    assert clients.secrets(PAM_KEY).list_secrets()["SecretList"] == []
    limited = PAM_KEY.model_copy(update={"allows": []})
    aws = vault.vault.clouds.aws.model_copy(update={"access_keys": [limited]})
    vault.vault = vault.vault.model_copy(update={"clouds": vault.vault.clouds.model_copy(update={"aws": aws})})
    with refused("AccessDeniedException", message="user/pam-pam is not authorized to perform: secretsmanager:List"):
        clients.secrets(PAM_KEY).list_secrets()


def test_a_key_that_the_vault_no_longer_has_is_refused_at_the_next_call(clients: Clients, vault: VaultHolder) -> None:
    client = clients.secrets(PAM_KEY)
    client.list_secrets()
    vault.vault = Vault()
    with refused("UnrecognizedClientException"):
        client.list_secrets()


def test_a_session_of_a_role_that_the_vault_no_longer_has_is_denied(clients: Clients, vault: VaultHolder) -> None:
    client = clients.assumed(ROLE, PAM_KEY)
    client.list_secrets()
    vault.vault = Vault()
    with refused("AccessDeniedException", message="assumed-role/keeper-uss/test"):
        client.list_secrets()


@pytest.mark.parametrize("role", ["arn:aws:iam::123456789012:role/nobody", "arn:aws:iam::999999999999:role/nobody"])
def test_a_role_that_was_not_declared_cannot_be_assumed(clients: Clients, role: str) -> None:
    message = f"User: arn:aws:iam::{ACCOUNT}:user/pam-pam is not authorized to perform: sts:AssumeRole on resource: "
    with refused("AccessDenied", message=message + role, status=403):
        clients.sts(PAM_KEY).assume_role(RoleArn=role, RoleSessionName="test")


def test_a_role_that_does_not_trust_the_caller_cannot_be_assumed(clients: Clients) -> None:
    with refused("AccessDenied", message="not authorized to perform: sts:AssumeRole", status=403):
        clients.sts(READER_KEY).assume_role(RoleArn=ROLE, RoleSessionName="test")


def test_a_caller_without_the_right_to_assume_is_denied(clients: Clients, vault: VaultHolder) -> None:
    content = vault.vault.model_dump(by_alias=True)
    content["clouds"]["aws"]["accessKeys"][0]["allows"] = ["secretsmanager:*"]
    vault.vault = Vault.model_validate(content)
    with refused("AccessDenied", message=f"sts:AssumeRole on resource: {GUARDED_ROLE}", status=403):
        clients.sts(READER_KEY).assume_role(RoleArn=GUARDED_ROLE, RoleSessionName="test", ExternalId="right-id")


def test_a_role_with_an_external_id_asks_for_it(clients: Clients) -> None:
    sts = clients.sts(READER_KEY)
    sts.assume_role(RoleArn=GUARDED_ROLE, RoleSessionName="test", ExternalId="right-id")
    with refused("AccessDenied", status=403):
        sts.assume_role(RoleArn=GUARDED_ROLE, RoleSessionName="test", ExternalId="wrong-id")
    with refused("AccessDenied", status=403):
        sts.assume_role(RoleArn=GUARDED_ROLE, RoleSessionName="test")


@pytest.mark.parametrize(
    "principal",
    [f"arn:aws:iam::{ACCOUNT}:user/pam-pam", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", PAM_KEY.access_key_id, "*"],
)
def test_each_way_to_name_a_trusted_caller_lets_it_assume_the_role(
    clients: Clients, vault: VaultHolder, principal: str
) -> None:
    content = vault.vault.model_dump(by_alias=True)
    content["clouds"]["aws"]["roles"][0]["trusts"] = [principal]
    vault.vault = Vault.model_validate(content)
    answer = clients.sts(PAM_KEY).assume_role(RoleArn=ROLE, RoleSessionName="test")
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/keeper-uss/test"


def test_a_session_may_assume_a_role_that_trusts_its_role(clients: Clients, vault: VaultHolder) -> None:
    content = vault.vault.model_dump(by_alias=True)
    content["clouds"]["aws"]["roles"][1]["trusts"] = [ROLE]
    vault.vault = Vault.model_validate(content)
    session = clients.sts(PAM_KEY).assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    key = AwsAccessKey(access_key_id=session["AccessKeyId"], secret_access_key=session["SecretAccessKey"])
    answer = clients.sts(key, token=session["SessionToken"]).assume_role(RoleArn=OTHER_ROLE, RoleSessionName="next")
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/keeper-uss/next"


def test_a_session_of_another_accounts_role_works_in_that_account_with_that_roles_rights(
    aws: AwsServer, clients: Clients
) -> None:
    client = clients.assumed(OTHER_ROLE, PAM_KEY, region="eu-west-1")
    arn = client.create_secret(Name="database", SecretString="hunter2")["ARN"]
    assert arn.startswith(f"arn:aws:secretsmanager:eu-west-1:{OTHER_ACCOUNT}:secret:database-")
    with refused("AccessDeniedException", message="perform: secretsmanager:GetSecretValue on resource: database"):
        client.get_secret_value(SecretId="database")
    assert aws.dump()["eu-west-1"]["database"]["account"] == OTHER_ACCOUNT
    assert clients.secrets(region="eu-west-1").list_secrets()["SecretList"] == []


def test_a_session_with_another_sessions_token_is_refused(clients: Clients) -> None:
    sts = clients.sts(PAM_KEY)
    first = sts.assume_role(RoleArn=ROLE, RoleSessionName="one")["Credentials"]
    second = sts.assume_role(RoleArn=ROLE, RoleSessionName="two")["Credentials"]
    key = AwsAccessKey(access_key_id=first["AccessKeyId"], secret_access_key=first["SecretAccessKey"])
    with refused("UnrecognizedClientException"):
        clients.secrets(key, token=second["SessionToken"]).list_secrets()


def test_a_key_of_unusual_length_in_another_account_works_there(clients: Clients, vault: VaultHolder) -> None:
    content = vault.vault.model_dump(by_alias=True)
    key = {"accessKeyId": "AKIASHORT", "secretAccessKey": "x", "account": OTHER_ACCOUNT}
    content["clouds"]["aws"]["accessKeys"].append(key)
    vault.vault = Vault.model_validate(content)
    client = clients.secrets(AwsAccessKey.model_validate(key))
    assert f":{OTHER_ACCOUNT}:" in client.create_secret(Name="database", SecretString="x")["ARN"]


def test_pam_records_without_both_keys_give_no_access_key() -> None:
    fields = [{"type": "accessKeyId", "value": ["AKIA"]}, {"type": "accessSecretKey", "value": []}]
    records = [
        {"uid": "half", "type": "pamAwsConfiguration", "title": "half", "fields": fields},
        {"uid": "login", "type": "login", "title": "login", "fields": fields},
    ]
    assert access_keys(Vault.model_validate({"records": records})) == []


def test_a_value_may_have_65536_bytes_of_utf8_and_no_more(clients: Clients) -> None:
    client = clients.secrets()
    client.create_secret(Name="largest", SecretString="é" * 32_768)
    message = (
        "Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536"
    )
    with refused("ValidationException", message=message):
        client.create_secret(Name="larger", SecretString="é" * 32_768 + "x")
    with refused("ValidationException", message=message):
        client.put_secret_value(SecretId="largest", SecretString="x" * 65_537)
    with refused("ValidationException", message="secretBinary"):
        client.create_secret(Name="binary", SecretBinary=b"x" * 65_537)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x" * 513, "Value at 'name' failed to satisfy constraint: Member must have length less than or equal to 512"),
        ("my secret", "Invalid name. Must be a valid name containing alphanumeric characters"),
        ("schlüssel", "Invalid name."),
    ],
)
def test_a_name_outside_the_rules_is_refused(clients: Clients, name: str, message: str) -> None:
    with refused("ValidationException", message=message):
        clients.secrets().create_secret(Name=name, SecretString="x")


def test_a_tag_that_is_too_long_is_refused(clients: Clients) -> None:
    client = clients.secrets()
    client.create_secret(Name="x" * 512, SecretString="x", Tags=[{"Key": "k" * 128, "Value": "v" * 256}])
    with refused("ValidationException", message="tags.1.member.value"):
        client.create_secret(Name="other", SecretString="x", Tags=[{"Key": "k", "Value": "v" * 257}])


def test_a_name_that_exists_is_refused(clients: Clients) -> None:
    client = clients.secrets()
    client.create_secret(Name="database", SecretString="x", AddReplicaRegions=[{"Region": "eu-west-1"}])
    with refused("ResourceExistsException", message="already exists"):
        client.create_secret(Name="database", SecretString="x")
    with refused("ResourceExistsException", message="the secret database already exists"):
        clients.secrets(region="eu-west-1").create_secret(Name="database", SecretString="x")


def test_a_name_scheduled_for_deletion_is_blocked_until_it_is_restored_or_gone(clients: Clients) -> None:
    client = clients.secrets()
    arn = client.create_secret(Name="database", SecretString="x")["ARN"]
    client.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    with refused("InvalidRequestException", message="already scheduled for deletion"):
        client.create_secret(Name="database", SecretString="x")
    with refused("InvalidRequestException", message="it was marked for deletion"):
        client.get_secret_value(SecretId=arn)
    with refused("InvalidRequestException", message="it was marked for deletion"):
        client.tag_resource(SecretId=arn, Tags=[{"Key": "a", "Value": "b"}])
    client.restore_secret(SecretId=arn)
    assert client.get_secret_value(SecretId=arn)["SecretString"] == "x"
    client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    client.create_secret(Name="database", SecretString="y")


def test_a_missing_secret_is_answered_as_aws_answers(clients: Clients) -> None:
    client = clients.secrets()
    with refused("ResourceNotFoundException", message="can't find the specified secret"):
        client.get_secret_value(SecretId="nothing")
    with refused("ResourceNotFoundException", message="can't find the specified secret"):
        client.list_secret_version_ids(SecretId="nothing")


def test_replicas_follow_versions_and_tags_and_refuse_writes(clients: Clients) -> None:
    primary, replica = clients.secrets(), clients.secrets(region="eu-west-1")
    arn = primary.create_secret(Name="database", SecretString="one", AddReplicaRegions=[{"Region": "eu-west-1"}])["ARN"]
    replica_arn = arn.replace("us-east-1", "eu-west-1")
    assert replica.describe_secret(SecretId="database")["ARN"] == replica_arn
    primary.put_secret_value(SecretId=arn, SecretString="two")
    primary.tag_resource(SecretId=arn, Tags=[{"Key": "team", "Value": "payments"}])
    assert replica.get_secret_value(SecretId=replica_arn)["SecretString"] == "two"
    assert replica.describe_secret(SecretId=replica_arn)["Tags"] == [{"Key": "team", "Value": "payments"}]
    with refused("InvalidParameterException", message="replica"):
        replica.put_secret_value(SecretId=replica_arn, SecretString="three")
    with refused("InvalidParameterException", message="still has replica regions"):
        primary.delete_secret(SecretId=arn)
    primary.remove_regions_from_replication(SecretId=arn, RemoveReplicaRegions=["eu-west-1"])
    with refused("ResourceNotFoundException"):
        replica.describe_secret(SecretId="database")


def test_the_primary_region_is_told_of_replicated_secrets_only(clients: Clients) -> None:
    client = clients.secrets()
    client.create_secret(Name="replicated", SecretString="x", AddReplicaRegions=[{"Region": "eu-west-1"}])
    client.create_secret(Name="alone", SecretString="x")
    assert client.describe_secret(SecretId="replicated")["PrimaryRegion"] == "us-east-1"
    for region, expected in (
        ("us-east-1", {"replicated": "us-east-1", "alone": None}),
        ("eu-west-1", {"replicated": "us-east-1"}),
    ):
        listed = clients.secrets(region=region).list_secrets()["SecretList"]
        assert {entry["Name"]: entry.get("PrimaryRegion") for entry in listed} == expected


def test_an_unknown_replica_region_is_refused(clients: Clients) -> None:
    with refused("InvalidParameterException", message="Invalid replica region."):
        clients.secrets().create_secret(Name="x", SecretString="x", AddReplicaRegions=[{"Region": "mars-north-1"}])


def test_an_unknown_region_is_refused(clients: Clients) -> None:
    with refused("UnknownOperationException", message="mars-north-1"):
        clients.secrets(region="mars-north-1").list_secrets()


def test_secrets_are_found_by_their_tags(clients: Clients) -> None:
    client = clients.secrets()
    client.create_secret(Name="ours", SecretString="x", Tags=[{"Key": "managed-by", "Value": "keeper-uss"}])
    client.create_secret(Name="theirs", SecretString="x", Tags=[{"Key": "owner", "Value": "somebody"}])
    for key, value in (("tag-key", "managed-by"), ("tag-value", "keeper-uss")):
        found = client.list_secrets(Filters=[{"Key": key, "Values": [value]}])["SecretList"]  # type: ignore[typeddict-item]  # the loop widens the literal
        assert [secret["Name"] for secret in found] == ["ours"]


def test_versions_are_listed_under_the_secrets_arn(clients: Clients) -> None:
    client = clients.secrets()
    arn = client.create_secret(Name="database", SecretString="one")["ARN"]
    client.put_secret_value(SecretId=arn, SecretString="two")
    answer = client.list_secret_version_ids(SecretId="database")
    assert answer["ARN"] == arn
    assert sorted(version["VersionStages"] for version in answer["Versions"]) == [["AWSCURRENT"], ["AWSPREVIOUS"]]


def test_the_dump_holds_every_secret_of_every_region_and_account(aws: AwsServer, clients: Clients) -> None:
    client = clients.secrets()
    arn = client.create_secret(
        Name="database",
        SecretString="one",
        Description="of payments",
        Tags=[{"Key": "team", "Value": "payments"}],
        AddReplicaRegions=[{"Region": "eu-west-1"}],
    )["ARN"]
    version = client.put_secret_value(SecretId=arn, SecretString="two")["VersionId"]
    client.create_secret(Name="binary", SecretBinary=b"\x00\x01")
    client.create_secret(Name="empty")
    client.create_secret(Name="deleted", SecretString="x")
    deletion = client.delete_secret(SecretId="deleted", RecoveryWindowInDays=7)["DeletionDate"]
    other_arn = clients.assumed(OTHER_ROLE, PAM_KEY).create_secret(Name="database", SecretString="other")["ARN"]
    dump = aws.dump()
    item = {
        "arn": arn,
        "account": ACCOUNT,
        "value": "two",
        "versionId": version,
        "versionCount": 2,
        "tags": {"team": "payments"},
        "description": "of payments",
        "replicas": {"eu-west-1": "InSync"},
        "primaryRegion": "us-east-1",
        "deletedDate": None,
    }
    replica_arn = arn.replace("us-east-1", "eu-west-1")
    assert dump["us-east-1"]["database"] == item
    assert dump["eu-west-1"]["database"] == {**item, "arn": replica_arn, "replicas": {}}
    assert (dump["us-east-1"]["binary"]["binaryBase64"], dump["us-east-1"]["binary"]["value"]) == ("AAE=", None)
    assert (dump["us-east-1"]["empty"]["versionId"], dump["us-east-1"]["empty"]["versionCount"]) == (None, 0)
    assert dump["us-east-1"]["deleted"]["deletedDate"][:19] == deletion.isoformat()[:19]
    assert dump["us-east-1"][other_arn]["value"] == "other"
