"""The functions of the package `gcp` over gRPC."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

from tests.sandbox.gcp.kit import OTHER_PROJECT, PARENT, PROJECT, READER_EMAIL, Gcp, content, key_file, private_pem
from tests.sandbox.providers.harness import Connect, Connection

MODULE = "gcp:secretmanager"
NAME = f"{PARENT}/secrets/database"
KEY = "projects/keys/locations/us-east1/keyRings/ring/cryptoKeys/payments"


@pytest.fixture
def provider(gcp: Gcp, connect_gcp: Connect) -> Connection:
    client = gcp.client()
    secret: dict[str, Any] = {
        "replication": {
            "user_managed": {
                "replicas": [
                    {"location": "us-east1", "customer_managed_encryption": {"kms_key_name": KEY}},
                ]
            }
        },
        "labels": {"team": "payments"},
        "annotations": {"title": "The Database"},
    }
    client.create_secret(parent=PARENT, secret_id="database", secret=secret)
    client.create_secret(parent=PARENT, secret_id="other", secret={"replication": {"automatic": {}}})
    for value in (b"one", b"two"):
        client.add_secret_version(parent=NAME, payload={"data": value})
    return connect_gcp()


def test_a_secret_is_described_with_all_its_labels(provider: Connection) -> None:
    found = provider.invoke(f"{MODULE}/getSecret:getSecret", secretId="database").properties
    wanted = {
        "id": NAME,
        "project": PROJECT,
        "secretId": "database",
        "labels": {"team": "payments"},
        "effectiveLabels": {"team": "payments"},
        "annotations": {"title": "The Database"},
        "replications": [
            {
                "autos": [],
                "userManageds": [
                    {"replicas": [{"location": "us-east1", "customerManagedEncryptions": [{"kmsKeyName": KEY}]}]}
                ],
            }
        ],
    }
    assert found.items() >= wanted.items()
    with pytest.raises(grpc.RpcError, match=f"projects/{PROJECT}/secrets/none not found"):
        provider.invoke(f"{MODULE}/getSecret:getSecret", secretId="none")


def test_secrets_are_listed_by_a_filter(provider: Connection) -> None:
    listed = provider.invoke(f"{MODULE}/getSecrets:getSecrets").properties
    assert [secret["secretId"] for secret in listed["secrets"]] == ["other", "database"]
    found = provider.invoke(f"{MODULE}/getSecrets:getSecrets", filter="labels.team=payments").properties
    assert [secret["secretId"] for secret in found["secrets"]] == ["database"]
    assert found["id"] == f"{PARENT}/secrets/filter=labels.team=payments"
    assert provider.invoke(f"{MODULE}/getSecrets:getSecrets", project=OTHER_PROJECT).properties["secrets"] == []


def test_a_list_of_many_pages_is_whole(gcp: Gcp, provider: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uss.sandbox.providers.gcp_functions._PAGE", 1)
    assert len(provider.invoke(f"{MODULE}/getSecrets:getSecrets").properties["secrets"]) == 2
    assert gcp.faults.calls()["gcp"]["secretmanager.ListSecrets"] == 2


def test_a_version_is_read_with_its_value_and_the_value_is_secret(provider: Connection) -> None:
    token = f"{MODULE}/getSecretVersion:getSecretVersion"
    latest = provider.invoke(token, secret="database")
    assert latest.secrets == {"secretData"}
    wanted = {"version": "2", "secretData": "two", "enabled": True, "fetchSecretData": True, "secret": "database"}
    assert latest.properties.items() >= wanted.items()
    assert provider.invoke(token, secret=NAME, version="1").properties["secretData"] == "one"
    assert provider.invoke(token, secret=NAME, isSecretDataBase64=True).properties["secretData"] == "dHdv"


def test_a_version_is_read_without_its_value_where_that_is_not_asked_for(gcp: Gcp, provider: Connection) -> None:
    gcp.client().disable_secret_version(name=f"{NAME}/versions/2")
    token = f"{MODULE}/getSecretVersion:getSecretVersion"
    found = provider.invoke(token, secret="database", fetchSecretData=False).properties
    assert (found["enabled"], found["secretData"]) == (False, "")
    with pytest.raises(grpc.RpcError, match="is in DISABLED state"):
        provider.invoke(token, secret="database")


def test_a_value_can_be_accessed_with_that_right_alone(gcp: Gcp, provider: Connection, connect_gcp: Connect) -> None:
    account = {
        "email": READER_EMAIL,
        "privateKey": private_pem(READER_EMAIL),
        "allows": ["secretmanager.versions.access"],
    }
    gcp.change_vault(content(serviceAccounts=[account]))
    reader = connect_gcp(credentials=json.dumps(key_file(READER_EMAIL)))
    accessed = reader.invoke(f"{MODULE}/getSecretVersionAccess:getSecretVersionAccess", secret="database")
    assert accessed.secrets == {"secretData"}
    assert accessed.properties.items() >= {"version": "2", "secretData": "two"}.items()
    with pytest.raises(grpc.RpcError, match=r"'secretmanager\.versions\.get' denied"):
        reader.invoke(f"{MODULE}/getSecretVersion:getSecretVersion", secret="database")
