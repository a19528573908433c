"""The provider's configuration: identities, endpoints, and the environment behind them."""

from __future__ import annotations

import json
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
from tests.sandbox.providers.harness import Connect
from uss.sandbox.faults import Fault, FaultKind
from uss.sandbox.providers.gcp_config import parse_config
from uss.sandbox.providers.interface import ProviderError

SECRET = "gcp:secretmanager/secret:Secret"
MIDDLE = f"middle@{PROJECT}.iam.gserviceaccount.com"
INPUTS: dict[str, Any] = {"secretId": "database", "replication": {"auto": {}}}


def test_the_key_is_proven_without_a_call_of_secret_manager(gcp: Gcp, connect_gcp: Connect) -> None:
    connect_gcp()
    assert gcp.faults.calls() == {"gcp": {"oauth2.Token": 1}}


def test_a_key_that_google_does_not_know_is_refused_with_googles_word(connect_gcp: Connect) -> None:
    stranger = key_file("stranger@elsewhere-project.iam.gserviceaccount.com")
    with pytest.raises(grpc.RpcError, match='oauth2: "invalid_grant" "Invalid grant: account not found"'):
        connect_gcp(credentials=json.dumps(stranger))
    with pytest.raises(grpc.RpcError, match=r"Invalid JWT Signature\."):
        connect_gcp(credentials=json.dumps(key_file(private_key=private_pem(READER_EMAIL))))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"type": "authorized_user"}',
        '{"type": "service_account"}',
        json.dumps(key_file(private_key="canary")),
        "/no/such/canary",
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(connect_gcp: Connect, text: str) -> None:
    with pytest.raises(grpc.RpcError, match="credentials are") as refused:
        connect_gcp(credentials=text)
    assert leaks(str(refused.value), "canary") == {}


def test_the_key_may_be_a_file(connect_gcp: Connect, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(key_file()))
    connect_gcp(credentials=str(path))


def test_an_impersonated_account_writes_with_its_own_rights(gcp: Gcp, connect_gcp: Connect) -> None:
    gcp.change_vault(
        content(serviceAccounts=[{"email": SYNC_EMAIL, "impersonators": [PAM_EMAIL], "allows": ["*.create"]}])
    )
    sync = connect_gcp(impersonateServiceAccount=SYNC_EMAIL)
    assert gcp.faults.calls()["gcp"] == {"iamcredentials.GenerateAccessToken": 1, "oauth2.Token": 1}
    with pytest.raises(grpc.RpcError, match=r"'secretmanager\.secrets\.get' denied"):
        sync.create(SECRET, INPUTS)
    assert connect_gcp().read(SECRET, "database")


def test_an_impersonation_without_the_grant_is_refused(gcp: Gcp, connect_gcp: Connect) -> None:
    gcp.change_vault(content(serviceAccounts=[{"email": SYNC_EMAIL}]))
    with pytest.raises(grpc.RpcError) as refused:
        connect_gcp(impersonateServiceAccount=SYNC_EMAIL)
    assert isinstance(refused.value, grpc.Call)
    assert refused.value.details() == (
        f"unable to get an access token by impersonation of {SYNC_EMAIL}: status code 403: Permission "
        "'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
    )


def test_delegates_are_walked_in_their_order(gcp: Gcp, connect_gcp: Connect) -> None:
    middle, target = {"email": MIDDLE, "impersonators": [PAM_EMAIL]}, {"email": SYNC_EMAIL, "impersonators": [MIDDLE]}
    gcp.change_vault(content(serviceAccounts=[middle, target]))
    connect_gcp(impersonateServiceAccount=SYNC_EMAIL, impersonateServiceAccountDelegates=[MIDDLE])
    with pytest.raises(grpc.RpcError, match="getAccessToken"):
        connect_gcp(impersonateServiceAccount=SYNC_EMAIL)


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


@pytest.mark.parametrize("kind", [FaultKind.DENIED, FaultKind.GARBLED, FaultKind.DROPPED])
@pytest.mark.parametrize("operation", ["oauth2.Token", "iamcredentials.GenerateAccessToken"])
def test_a_token_that_cannot_be_had_is_told(gcp: Gcp, connect_gcp: Connect, kind: FaultKind, operation: str) -> None:
    gcp.faults.add(Fault("gcp", operation, kind))
    with pytest.raises(grpc.RpcError, match="unable to get an access token by impersonation of"):
        connect_gcp(impersonateServiceAccount=SYNC_EMAIL)


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
