"""The provider's configuration: identities, endpoints, and the environment behind them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.leaks import leaks
from tests.sandbox.gcp.kit import (
    AUTOMATIC,
    OTHER_PROJECT,
    PAM_EMAIL,
    PARENT,
    PROJECT,
    READER_EMAIL,
    SYNC_EMAIL,
    Gcp,
    content,
    key_file,
    private_pem,
)
from tests.sandbox.providers.harness import Connect, Connection
from uss.sandbox.faults import Fault, FaultKind
from uss.sandbox.providers.gcp_config import parse_config
from uss.sandbox.providers.interface import ProviderError

SECRET = "gcp:secretmanager/secret:Secret"
MIDDLE = f"middle@{PROJECT}.iam.gserviceaccount.com"
LIST = "gcp:secretmanager/getSecrets:getSecrets"
INPUTS: dict[str, Any] = {"secretId": "database", "replication": {"auto": {}}}
CALL = (
    f'invoking {LIST}: 1 error occurred:\n\t* Error when reading or editing SecretManagerSecrets "": '
    f'Get "https://secretmanager.googleapis.com/v1/{PARENT}/secrets?alt=json": '
)
IMPERSONATION = (
    'impersonate: unable to generate access token: Post "https://iamcredentials.googleapis.com/v1/projects/-/'
    f'serviceAccounts/{SYNC_EMAIL}:generateAccessToken": '
)


def refusal(provider: Connection) -> str:
    """What a call without any answer of Secret Manager ends with, after the call itself."""
    with pytest.raises(grpc.RpcError) as refused:
        provider.invoke(LIST)
    assert isinstance(refused.value, grpc.Call)
    told = refused.value.details() or ""
    assert told.startswith(CALL)
    return told.removeprefix(CALL).strip()


def test_an_identity_is_tried_by_the_first_call_that_needs_it(gcp: Gcp, connect_gcp: Connect) -> None:
    provider = connect_gcp()
    assert gcp.faults.calls() == {}
    provider.invoke(LIST)
    provider.invoke(LIST)
    assert gcp.faults.calls() == {"gcp": {"oauth2.Token": 1, "secretmanager.ListSecrets": 2}}


def test_calls_at_once_share_a_token(gcp: Gcp, connect_gcp: Connect) -> None:
    provider = connect_gcp(impersonateServiceAccount=SYNC_EMAIL)
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda _: provider.invoke(LIST), range(8)))
    tokens = {"iamcredentials.GenerateAccessToken": 1, "oauth2.Token": 1}
    assert gcp.faults.calls()["gcp"].items() >= tokens.items()


@pytest.mark.parametrize(
    ("settings", "beginning"),
    [
        ({}, "oauth2: cannot fetch token: 400 Bad Request"),
        ({"impersonateServiceAccount": SYNC_EMAIL}, f"{IMPERSONATION}auth: cannot fetch token: 400"),
    ],
    ids=["by the key", "by impersonation"],
)
def test_a_key_that_google_does_not_know_is_refused_with_googles_word(
    connect_gcp: Connect, settings: dict[str, Any], beginning: str
) -> None:
    stranger = json.dumps(key_file("stranger@elsewhere-project.iam.gserviceaccount.com"))
    told = (
        f'{beginning}\nResponse: {{"error": "invalid_grant", "error_description": "Invalid grant: account not found"}}'
    )
    assert refusal(connect_gcp(credentials=stranger, **settings)) == told
    forged = json.dumps(key_file(private_key=private_pem(READER_EMAIL)))
    assert "Invalid JWT Signature." in refusal(connect_gcp(credentials=forged, **settings))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"type": "authorized_user"}',
        '{"type": "service_account"}',
        "/no/such/canary",
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(connect_gcp: Connect, text: str) -> None:
    with pytest.raises(grpc.RpcError, match="credentials are") as refused:
        connect_gcp(credentials=text)
    assert leaks(str(refused.value), "canary") == {}


@pytest.mark.parametrize("settings", [{}, {"impersonateServiceAccount": SYNC_EMAIL}])
def test_a_private_key_that_is_none_is_told_by_the_first_call(connect_gcp: Connect, settings: dict[str, Any]) -> None:
    told = refusal(connect_gcp(credentials=json.dumps(key_file(private_key="canary")), **settings))
    assert "private key" in told
    assert leaks(told, "canary") == {}


def test_the_key_may_be_a_file(connect_gcp: Connect, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(key_file()))
    connect_gcp(credentials=str(path))


def test_an_impersonated_account_writes_with_its_own_rights(gcp: Gcp, connect_gcp: Connect) -> None:
    gcp.change_vault(
        content(serviceAccounts=[{"email": SYNC_EMAIL, "impersonators": [PAM_EMAIL], "allows": ["*.create"]}])
    )
    sync = connect_gcp(impersonateServiceAccount=SYNC_EMAIL)
    with pytest.raises(grpc.RpcError, match=r"'secretmanager\.secrets\.get' denied"):
        sync.create(SECRET, INPUTS)
    tokens = {"iamcredentials.GenerateAccessToken": 1, "oauth2.Token": 1}
    assert gcp.faults.calls()["gcp"].items() >= tokens.items()
    assert connect_gcp().read(SECRET, "database")


def test_delegates_are_walked_in_their_order(gcp: Gcp, connect_gcp: Connect) -> None:
    middle, target = {"email": MIDDLE, "impersonators": [PAM_EMAIL]}, {"email": SYNC_EMAIL, "impersonators": [MIDDLE]}
    gcp.change_vault(content(serviceAccounts=[middle, target]))
    connect_gcp(impersonateServiceAccount=SYNC_EMAIL, impersonateServiceAccountDelegates=[MIDDLE]).invoke(LIST)
    assert "getAccessToken" in refusal(connect_gcp(impersonateServiceAccount=SYNC_EMAIL))


def test_an_access_token_is_used_as_it_is(gcp: Gcp, connect_gcp: Connect) -> None:
    token = gcp.token(gcp.credentials(key_file()))
    gcp.faults.reset_calls()
    provider = connect_gcp(credentials=None, accessToken=token)
    assert provider.create(SECRET, INPUTS).id
    assert "oauth2.Token" not in gcp.faults.calls()["gcp"]
    connect_gcp(credentials=None, accessToken=token, impersonateServiceAccount=SYNC_EMAIL)
    wrong = connect_gcp(credentials=None, accessToken="ya29.canary")
    with pytest.raises(grpc.RpcError, match="Error 401: Request had invalid authentication") as refused:
        wrong.create(SECRET, INPUTS | {"secretId": "other"})
    assert leaks(str(refused.value), "canary") == {}


def test_a_token_that_has_ended_is_renewed(gcp: Gcp, connect_gcp: Connect) -> None:
    provider = connect_gcp()
    gcp.ahead = 3601
    gcp.faults.reset_calls()
    assert provider.create(SECRET, INPUTS).id
    assert gcp.faults.calls()["gcp"]["oauth2.Token"] == 1


@pytest.mark.parametrize("variable", ["GOOGLE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"])
def test_the_environment_holds_where_the_program_says_nothing(
    connect_gcp: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(key_file()))
    monkeypatch.setenv(variable, str(path))
    for name in ("GOOGLE_PROJECT", "GCLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", OTHER_PROJECT)
    made = connect_gcp(credentials=None, project=None).create(SECRET, INPUTS)
    assert made.outputs["project"] == OTHER_PROJECT


def test_no_credentials_at_all_are_told(connect_gcp: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    with pytest.raises(grpc.RpcError, match="no credentials: set"):
        connect_gcp(credentials=None)


def test_the_providers_own_endpoint_wins(gcp: Gcp, connect_gcp: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", "http://127.0.0.1:9/v1/")
    provider = connect_gcp(secretManagerCustomEndpoint=f"{gcp.server.url}/v1/")
    assert provider.create(SECRET, INPUTS).id


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("USS_SANDBOX_GCP_URL", ""),
        ("USS_SANDBOX_GCP_URL", "https://elsewhere.example"),
        ("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", "https://secretmanager.googleapis.com/v1/"),
        ("GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT", "https://iamcredentials.googleapis.com/v1/"),
    ],
)
def test_another_cloud_is_never_spoken_to(
    connect_gcp: Connect, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(grpc.RpcError, match=r"speaks to local clouds only, not to .*: set USS_SANDBOX_GCP_URL"):
        connect_gcp(impersonateServiceAccount=SYNC_EMAIL)


@pytest.mark.parametrize(
    ("operation", "kind", "beginning"),
    [
        ("oauth2.Token", FaultKind.DENIED, f"{IMPERSONATION}auth: cannot fetch token: 403\nResponse: {{"),
        ("oauth2.Token", FaultKind.GARBLED, f"{IMPERSONATION}auth: cannot fetch token: unexpected end of JSON input"),
        (
            "oauth2.Token",
            FaultKind.DROPPED,
            f'{IMPERSONATION}auth: cannot fetch token: Post "https://oauth2.googleapis.com/token": EOF',
        ),
        ("iamcredentials.GenerateAccessToken", FaultKind.DENIED, "impersonate: status code 403: {"),
        ("iamcredentials.GenerateAccessToken", FaultKind.GARBLED, "impersonate: unexpected end of JSON input"),
        ("iamcredentials.GenerateAccessToken", FaultKind.DROPPED, f"{IMPERSONATION}EOF"),
        ("secretmanager.ListSecrets", FaultKind.DROPPED, "EOF"),
    ],
)
def test_what_did_not_reach_secret_manager_is_told_with_its_address(
    gcp: Gcp, connect_gcp: Connect, operation: str, kind: FaultKind, beginning: str
) -> None:
    gcp.faults.add(Fault("gcp", operation, kind))
    assert refusal(connect_gcp(impersonateServiceAccount=SYNC_EMAIL)).startswith(beginning)


def test_a_quota_that_is_used_up_is_told_after_some_tries(gcp: Gcp, connect_gcp: Connect) -> None:
    provider = connect_gcp()
    gcp.change_vault(content(quotas={"write": 0}))
    with pytest.raises(grpc.RpcError, match="Error creating Secret: googleapi: Error 429: Quota exceeded for quota"):
        provider.create(SECRET, INPUTS)
    assert gcp.faults.calls()["gcp"]["secretmanager.CreateSecret"] > 2
    gcp.change_vault(content())
    assert provider.create(SECRET, INPUTS).id


def test_providers_on_two_connections_are_kept_apart(gcp: Gcp, connect_gcp: Connect) -> None:
    one, two = connect_gcp(), connect_gcp(project=OTHER_PROJECT)
    one.create(SECRET, INPUTS)
    two.create(SECRET, INPUTS)
    assert sorted(gcp.server.dump()) == [PROJECT, OTHER_PROJECT]


def test_a_reader_cannot_write(gcp: Gcp, connect_gcp: Connect) -> None:
    gcp.client().create_secret(parent=PARENT, secret_id="database", secret=AUTOMATIC)
    reader = connect_gcp(credentials=json.dumps(key_file(READER_EMAIL)))
    found = reader.read(SECRET, "database")
    assert found
    with pytest.raises(grpc.RpcError, match=r"'secretmanager\.secrets\.delete' denied for resource"):
        reader.delete(SECRET, found)


def test_a_setting_of_the_wrong_kind_is_told_without_its_value() -> None:
    with pytest.raises(ProviderError, match="gcp:defaultLabels") as wrong:
        parse_config({"defaultLabels": "canary"})
    assert leaks(str(wrong.value), "canary") == {}
    with pytest.raises(ProviderError, match="gcp:externalCredentials"):
        parse_config({"externalCredentials": '{"audience": "x"}'})


def test_settings_without_a_meaning_here_are_passed_over() -> None:
    config = parse_config({"billingProject": "x", "userProjectOverride": "true", "zone": "a", "version": "10.2.0"})
    assert config.add_pulumi_attribution_label
    assert leaks(repr(parse_config({"credentials": "canary", "accessToken": "canary"})), "canary") == {}
