"""Faults, counters, and what the gate keeps closed."""

from __future__ import annotations

import threading

import pytest
import requests
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.sandbox.aws.conftest import PAM_KEY, ROLE, Clients
from uss.sandbox.aws import AwsServer
from uss.sandbox.faults import Fault, FaultBoard, FaultKind


@pytest.mark.parametrize(
    ("kind", "json_error", "query_error"),
    [
        (FaultKind.DENIED, ("AccessDeniedException", 400), ("AccessDenied", 403)),
        (FaultKind.THROTTLED, ("ThrottlingException", 400), ("Throttling", 400)),
        (FaultKind.ERROR, ("InternalServiceError", 500), ("InternalFailure", 500)),
    ],
)
def test_a_refusing_fault_speaks_each_protocol(
    clients: Clients, faults: FaultBoard, kind: FaultKind, json_error: tuple[str, int], query_error: tuple[str, int]
) -> None:
    faults.add(Fault("aws", "*", kind))
    for call, expected in (
        (clients.secrets().list_secrets, json_error),
        (clients.sts().get_caller_identity, query_error),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        response = caught.value.response
        assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == expected


def test_a_dropped_call_has_no_effect(clients: Clients, aws: AwsServer, faults: FaultBoard) -> None:
    faults.add(Fault("aws", "secretsmanager:CreateSecret", FaultKind.DROPPED, times=1))
    with pytest.raises(ConnectionClosedError):
        clients.secrets().create_secret(Name="database", SecretString="x")
    assert aws.dump() == {}


def test_a_lost_call_takes_effect(clients: Clients, aws: AwsServer, faults: FaultBoard) -> None:
    faults.add(Fault("aws", "secretsmanager:CreateSecret", FaultKind.LOST, times=1))
    with pytest.raises(ConnectionClosedError):
        clients.secrets().create_secret(Name="database", SecretString="x")
    assert aws.dump()["us-east-1"]["database"]["value"] == "x"


def test_a_garbled_answer_looks_like_a_success_and_cannot_be_read(clients: Clients, faults: FaultBoard) -> None:
    faults.add(Fault("aws", "secretsmanager:ListSecrets", FaultKind.GARBLED))
    with pytest.raises(UnicodeDecodeError):
        clients.secrets().list_secrets()


def test_a_slow_call_is_answered_as_usual(clients: Clients, faults: FaultBoard) -> None:
    faults.add(Fault("aws", "sts:*", FaultKind.SLOW, seconds=0.05))
    assert clients.sts(PAM_KEY).assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]


def test_every_call_is_counted_once_by_its_iam_action(clients: Clients, faults: FaultBoard) -> None:
    clients.secrets().list_secrets()
    clients.assumed(ROLE, PAM_KEY).list_secrets()
    assert faults.calls() == {"aws": {"secretsmanager:ListSecrets": 2, "sts:AssumeRole": 1}}


def test_calls_side_by_side_all_land(clients: Clients, aws: AwsServer) -> None:
    client = clients.secrets()
    names = [f"secret-{number}" for number in range(24)]
    threads = [
        threading.Thread(target=client.create_secret, kwargs={"Name": name, "SecretString": name}) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: secret["value"] for name, secret in aws.dump()["us-east-1"].items()} == {n: n for n in names}


@pytest.mark.parametrize("path", ["/moto-api/data.json", "/moto-api/reset", "/latest/meta-data/", "/"])
def test_an_unsigned_request_gets_nothing(aws: AwsServer, path: str) -> None:
    answer = requests.post(aws.url + path, timeout=10)
    assert answer.status_code == 403
    assert "MissingAuthenticationToken" in answer.text


def test_an_unsigned_json_request_gets_nothing(aws: AwsServer) -> None:
    headers = {"X-Amz-Target": "secretsmanager.ListSecrets"}
    answer = requests.post(aws.url, data=b"not json", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["__type"]) == (400, "MissingAuthenticationTokenException")


def test_a_service_that_the_sandbox_has_not_is_refused(aws: AwsServer) -> None:
    scope = f"{aws.ambient.access_key_id}/20240101/us-east-1/s3/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    answer = requests.get(aws.url, headers=headers, timeout=10)
    assert (answer.status_code, "InvalidAction" in answer.text) == (400, True)


def test_an_operation_that_the_emulator_lacks_is_an_internal_failure(aws: AwsServer, clients: Clients) -> None:
    with pytest.raises(ClientError, match="InternalServiceError"):
        clients.secrets().validate_resource_policy(ResourcePolicy="{}")
