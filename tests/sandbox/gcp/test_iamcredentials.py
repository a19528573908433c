"""Impersonation, by google-auth's own credentials."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from google.auth.exceptions import RefreshError

from tests.sandbox.gcp.kit import (
    AUTOMATIC,
    PAM_EMAIL,
    PARENT,
    PROJECT,
    READER_EMAIL,
    SCOPE,
    SYNC_EMAIL,
    Gcp,
    content,
    key_file,
)

MIDDLE = f"middle@{PROJECT}.iam.gserviceaccount.com"


def refusal(gcp: Gcp, credentials: Any) -> dict[str, Any]:
    with pytest.raises(RefreshError) as refused:
        gcp.token(credentials)
    error: dict[str, Any] = json.loads(refused.value.args[1])["error"]
    return error


def test_an_account_with_the_grant_gets_the_others_token(gcp: Gcp) -> None:
    client = gcp.client(gcp.impersonated(SYNC_EMAIL, gcp.credentials(key_file())))
    assert client.create_secret(parent=PARENT, secret_id="a", secret=AUTOMATIC).name


def test_an_account_without_the_grant_is_refused(gcp: Gcp) -> None:
    error = refusal(gcp, gcp.impersonated(SYNC_EMAIL, gcp.credentials(key_file(READER_EMAIL))))
    assert (
        error["message"] == "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
    )
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
    assert error["details"][0]["metadata"] == {"permission": "iam.serviceAccounts.getAccessToken"}


def test_a_target_that_does_not_exist_is_not_found(gcp: Gcp) -> None:
    error = refusal(gcp, gcp.impersonated(f"nobody@{PROJECT}.iam.gserviceaccount.com", gcp.credentials(key_file())))
    assert error["status"] == "NOT_FOUND"
    assert "Gaia id not found for email nobody@" in error["message"]


def test_a_chain_of_delegates_needs_the_grant_at_every_link(gcp: Gcp) -> None:
    middle, target = {"email": MIDDLE, "impersonators": [PAM_EMAIL]}, {"email": SYNC_EMAIL, "impersonators": [MIDDLE]}
    gcp.change_vault(content(serviceAccounts=[middle, target]))
    source = gcp.credentials(key_file())
    assert gcp.token(gcp.impersonated(SYNC_EMAIL, source, [f"projects/-/serviceAccounts/{MIDDLE}"]))
    assert refusal(gcp, gcp.impersonated(SYNC_EMAIL, source))["code"] == 403
    gcp.change_vault(content(serviceAccounts=[middle | {"impersonators": []}, target]))
    assert refusal(gcp, gcp.impersonated(SYNC_EMAIL, source, [MIDDLE]))["code"] == 403


def test_the_targets_rights_hold_not_the_callers(gcp: Gcp) -> None:
    gcp.change_vault(content(serviceAccounts=[{"email": SYNC_EMAIL, "impersonators": [PAM_EMAIL], "allows": []}]))
    token = gcp.token(gcp.impersonated(SYNC_EMAIL, gcp.credentials(key_file())))
    assert gcp.get(f"/v1/{PARENT}/secrets", token).status_code == 403


def test_the_api_must_be_enabled_in_the_callers_project(gcp: Gcp) -> None:
    disabled = {"id": PROJECT, "disabledServices": ["iamcredentials.googleapis.com"]}
    gcp.change_vault(content(projects=[disabled]))
    error = refusal(gcp, gcp.impersonated(SYNC_EMAIL, gcp.credentials(key_file())))
    assert error["message"].startswith("IAM Service Account Credentials API has not been used in project")


@pytest.mark.parametrize(
    "body", [{}, {"scope": []}, {"scope": [SCOPE], "lifetime": "3601s"}, {"scope": [SCOPE], "lifetime": "1h"}]
)
def test_a_request_without_scopes_or_for_too_long_is_refused(gcp: Gcp, body: dict[str, Any]) -> None:
    url = f"{gcp.server.url}/v1/projects/-/serviceAccounts/{SYNC_EMAIL}:generateAccessToken"
    headers = {"Authorization": f"Bearer {gcp.token(gcp.credentials(key_file()))}"}
    answer = requests.post(url, json=body, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_token_of_another_scope_does_not_impersonate(gcp: Gcp) -> None:
    url = f"{gcp.server.url}/v1/projects/-/serviceAccounts/{SYNC_EMAIL}:generateAccessToken"
    token = gcp.token(gcp.credentials(key_file(), scope="https://www.googleapis.com/auth/devstorage.read_only"))
    answer = requests.post(url, json={"scope": [SCOPE]}, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 403
