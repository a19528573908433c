"""The token endpoint, asked by google-auth and without it."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest
from google.auth.exceptions import RefreshError

from tests.sandbox.gcp.kit import AUTOMATIC, PAM_EMAIL, PARENT, SCOPE, Gcp, key_file, private_pem
from uss.sandbox.gcp.oauth import GOOGLE_TOKEN_URI

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
STRANGER = "stranger@elsewhere-project.iam.gserviceaccount.com"


def assertion(key: str = PAM_EMAIL, algorithm: str = "RS256", **claims: Any) -> str:
    now = int(time.time())
    content = {"iss": PAM_EMAIL, "aud": GOOGLE_TOKEN_URI, "scope": SCOPE, "iat": now, "exp": now + 3600} | claims
    return jwt.encode(
        {name: value for name, value in content.items() if value is not None}, private_pem(key), algorithm
    )


def refused(gcp: Gcp, **form: str) -> tuple[str, str]:
    answer = gcp.post_token(**form)
    assert answer.status_code in (400, 401)
    return answer.json()["error"], answer.json()["error_description"]


def test_a_key_of_the_vault_gets_a_token_for_an_hour(gcp: Gcp) -> None:
    answer = gcp.post_token(grant_type=GRANT, assertion=assertion())
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 3599
    listed = gcp.get(f"/v1/{PARENT}/secrets", answer.json()["access_token"])
    assert (listed.status_code, listed.json()) == (200, {"secrets": [], "totalSize": 0})


def test_google_auth_gets_a_token_with_the_key_file(gcp: Gcp) -> None:
    client = gcp.client(gcp.credentials(key_file()))
    assert gcp.token(gcp.credentials(key_file())).startswith("ya29.")
    assert client.create_secret(parent=PARENT, secret_id="a", secret=AUTOMATIC).name


def test_an_unknown_account_is_refused(gcp: Gcp) -> None:
    with pytest.raises(RefreshError, match="invalid_grant: Invalid grant: account not found"):
        gcp.token(gcp.credentials(key_file(STRANGER)))


def test_a_key_that_is_not_the_accounts_is_refused(gcp: Gcp) -> None:
    with pytest.raises(RefreshError, match=r"invalid_grant: Invalid JWT Signature\."):
        gcp.token(gcp.credentials(key_file(private_key=private_pem(STRANGER))))


def test_a_signature_of_another_algorithm_is_refused(gcp: Gcp) -> None:
    assert refused(gcp, grant_type=GRANT, assertion=assertion(algorithm="RS512")) == (
        "invalid_grant",
        "Invalid JWT Signature.",
    )


@pytest.mark.parametrize("shift", [{"iat": 1, "exp": 3601}, {"exp": 2**31}, {"iat": None}, {"exp": "soon"}])
def test_an_assertion_out_of_its_time_is_refused(gcp: Gcp, shift: dict[str, Any]) -> None:
    # PyJWT itself refuses to sign times that are no numbers.
    if isinstance(shift.get("exp"), str):
        shift = {"exp": None}
    error, description = refused(gcp, grant_type=GRANT, assertion=assertion(**shift))
    assert error == "invalid_grant"
    assert "short-lived token" in description


def test_an_assertion_for_someone_else_is_refused(gcp: Gcp) -> None:
    error, description = refused(gcp, grant_type=GRANT, assertion=assertion(aud="https://elsewhere.example/token"))
    assert error == "invalid_grant"
    assert "audience" in description
    assert gcp.post_token(grant_type=GRANT, assertion=assertion(aud=f"{gcp.server.url}/token")).status_code == 200


@pytest.mark.parametrize("scope", [None, "", "https://elsewhere.example/all", f"{SCOPE} nonsense"])
def test_an_assertion_without_a_scope_of_googles_is_refused(gcp: Gcp, scope: str | None) -> None:
    assert refused(gcp, grant_type=GRANT, assertion=assertion(scope=scope))[0] == "invalid_scope"


def test_a_user_cannot_be_impersonated(gcp: Gcp) -> None:
    assert refused(gcp, grant_type=GRANT, assertion=assertion(sub="user@example.com"))[0] == "unauthorized_client"


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c", "e30.e30.e30", "bnVsbA.bnVsbA."])
def test_what_is_no_assertion_is_refused(gcp: Gcp, text: str) -> None:
    assert refused(gcp, grant_type=GRANT, assertion=text)[0] == "invalid_grant"


def test_other_grants_are_refused(gcp: Gcp) -> None:
    assert refused(gcp, grant_type="password") == ("unsupported_grant_type", "Invalid grant_type: password")


def test_a_token_for_another_service_does_not_open_secret_manager(gcp: Gcp) -> None:
    token = gcp.token(gcp.credentials(key_file(), scope="https://www.googleapis.com/auth/devstorage.read_only"))
    answer = gcp.get(f"/v1/{PARENT}/secrets", token)
    assert answer.status_code == 403
    assert answer.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_a_self_signed_token_holds_for_its_audience_only(gcp: Gcp) -> None:
    def status(**claims: Any) -> int:
        signed = assertion(**({"sub": PAM_EMAIL, "scope": None} | claims))
        return gcp.get(f"/v1/{PARENT}/secrets", signed).status_code

    assert status(aud="https://secretmanager.googleapis.com/") == 200
    assert status(aud="https://iamcredentials.googleapis.com/") == 401
    assert status(aud=None, scope=SCOPE) == 200
    assert status(aud=None) == 401
    assert status(aud=None, scope="https://www.googleapis.com/auth/iam") == 403
    assert status(aud=None, scope=SCOPE, sub=STRANGER) == 401


def test_the_ambient_key_file_is_one_that_google_auth_loads(
    gcp: Gcp, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    import google.auth

    path = tmp_path / "key.json"
    path.write_text(json.dumps(gcp.server.ambient))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    credentials, project = google.auth.default(scopes=[SCOPE])
    assert project == gcp.server.ambient["project_id"]
    assert gcp.get(f"/v1/{PARENT}/secrets", gcp.token(credentials)).status_code == 200
