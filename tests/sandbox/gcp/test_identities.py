"""Who is known and who may do what, proven with google-auth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden, Unauthorized
from google.auth.exceptions import RefreshError

from tests.sandbox.gcp.kit import (
    AUTOMATIC,
    OTHER_PROJECT,
    PAM_EMAIL,
    PARENT,
    PROJECT,
    READER_EMAIL,
    Gcp,
    content,
    key_file,
    pam_record,
    private_pem,
)

STRANGER = "stranger@elsewhere-project.iam.gserviceaccount.com"


def create(gcp: Gcp, credentials: Any, project: str = PROJECT) -> None:
    gcp.client(credentials).create_secret(parent=f"projects/{project}", secret_id="database", secret=AUTOMATIC)


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "json", "value": [json.dumps(key_file())]},
        {"type": "json", "value": [key_file()]},
        {"type": "secret", "value": [json.dumps(key_file())]},
        {"type": "multiline", "value": [json.dumps(key_file(), indent=2)], "label": "PAM Service Account Key"},
    ],
)
def test_the_key_in_a_pam_configuration_may_do_everything_in_its_project_and_the_listed_ones(
    gcp: Gcp, entry: dict[str, Any]
) -> None:
    gcp.change_vault(content(pam_record(**entry)))
    create(gcp, gcp.credentials(key_file()), PROJECT)
    create(gcp, gcp.credentials(key_file()), OTHER_PROJECT)


def test_a_pam_key_has_no_rights_in_the_project_of_another_one(gcp: Gcp) -> None:
    second = pam_record(json.dumps(key_file("two@second-project.iam.gserviceaccount.com", "second-project")))
    vault = content()
    vault["records"].append(second | {"uid": "second"})
    gcp.change_vault(vault)
    with pytest.raises(Forbidden, match="'secretmanager.secrets.create' denied for resource 'projects/second-project'"):
        create(gcp, gcp.credentials(key_file()), "second-project")


def test_a_record_whose_key_is_none_leaves_its_account_unknown(gcp: Gcp) -> None:
    gcp.change_vault({"records": [pam_record("no key"), pam_record({"private_key": 7}) | {"uid": "other"}]})
    with pytest.raises(RefreshError, match="account not found"):
        gcp.token(gcp.credentials(key_file()))


def test_the_vault_file_may_say_otherwise_of_a_pam_key(gcp: Gcp) -> None:
    gcp.change_vault(content(serviceAccounts=[{"email": PAM_EMAIL, "allows": ["secretmanager.secrets.list"]}]))
    client = gcp.client(gcp.credentials(key_file()))
    assert list(client.list_secrets(parent=PARENT)) == []
    with pytest.raises(Forbidden, match=r"'secretmanager\.secrets\.create'"):
        create(gcp, gcp.credentials(key_file()))


def test_a_denied_call_names_the_permission_and_the_resource(gcp: Gcp) -> None:
    create(gcp, gcp.credentials())
    reader = gcp.client(gcp.credentials(key_file(READER_EMAIL)))
    name = f"{PARENT}/secrets/database"
    assert reader.get_secret(name=name)
    with pytest.raises(Forbidden) as refused:
        reader.delete_secret(name=name)
    error = refused.value.response.json()["error"]
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
    assert error["message"] == (
        f"Permission 'secretmanager.secrets.delete' denied for resource '{name}' (or it may not exist)."
    )
    assert error["details"][0]["reason"] == "IAM_PERMISSION_DENIED"
    assert error["details"][0]["metadata"] == {"permission": "secretmanager.secrets.delete", "resource": name}


@pytest.mark.parametrize("name", ["get", "access", "delete", "update", "list", "add"])
def test_a_secret_that_does_not_exist_is_not_told_from_one_that_is_hidden(gcp: Gcp, name: str) -> None:
    gcp.change_vault(content(serviceAccounts=[{"email": PAM_EMAIL, "allows": []}]))
    client = gcp.client(gcp.credentials(key_file()))
    secret = f"{PARENT}/secrets/none"
    calls: dict[str, Any] = {
        "get": lambda: client.get_secret(name=secret),
        "access": lambda: client.access_secret_version(name=f"{secret}/versions/latest", retry=None),
        "delete": lambda: client.delete_secret(name=secret),
        "update": lambda: client.update_secret(secret={"name": secret}, update_mask="labels"),
        "list": lambda: client.list_secret_versions(parent=secret),
        "add": lambda: client.add_secret_version(parent=secret, payload={"data": b"x"}),
    }
    with pytest.raises(Forbidden, match="or it may not exist"):
        calls[name]()


def test_a_project_that_does_not_exist_is_refused(gcp: Gcp) -> None:
    with pytest.raises(Forbidden, match=r"Permission denied on resource project no-such-project\.") as refused:
        create(gcp, gcp.credentials(), "no-such-project")
    assert refused.value.response.json()["error"]["details"][0]["reason"] == "CONSUMER_INVALID"


def test_a_project_without_the_api_is_refused(gcp: Gcp) -> None:
    disabled = {"id": OTHER_PROJECT, "disabledServices": ["secretmanager.googleapis.com"]}
    gcp.change_vault(content(projects=[disabled]))
    with pytest.raises(Forbidden, match="Secret Manager API has not been used in project") as refused:
        create(gcp, gcp.credentials(), OTHER_PROJECT)
    assert refused.value.response.json()["error"]["details"][0]["reason"] == "SERVICE_DISABLED"
    create(gcp, gcp.credentials(), PROJECT)


def test_an_account_that_leaves_the_vault_loses_its_tokens(gcp: Gcp) -> None:
    credentials = gcp.credentials(key_file())
    token = gcp.token(credentials)
    assert gcp.get(f"/v1/{PARENT}/secrets", token).status_code == 200
    gcp.change_vault({"clouds": {"gcp": {"projects": [PROJECT]}}})
    assert gcp.get(f"/v1/{PARENT}/secrets", token).status_code == 401


def test_a_token_ends_after_an_hour(gcp: Gcp) -> None:
    token = gcp.token(gcp.credentials())
    gcp.ahead = 3590
    assert gcp.get(f"/v1/{PARENT}/secrets", token).status_code == 200
    gcp.ahead = 3601
    assert gcp.get(f"/v1/{PARENT}/secrets", token).status_code == 401


def test_no_token_and_an_unknown_one_are_refused(gcp: Gcp) -> None:
    for token in ("", "ya29.unknown", "a.b.c"):
        answer = gcp.get(f"/v1/{PARENT}/secrets", token)
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_stranger_who_signs_its_own_token_is_refused(gcp: Gcp) -> None:
    with pytest.raises(Unauthorized):
        create(gcp, gcp.credentials(key_file(STRANGER)))
    with pytest.raises(Unauthorized):
        create(gcp, gcp.credentials(key_file(private_key=private_pem(STRANGER))))


def test_a_pem_key_of_the_vault_file_may_be_public(gcp: Gcp) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    private = load_pem_private_key(private_pem(STRANGER).encode(), None)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    gcp.change_vault(content(serviceAccounts=[{"email": STRANGER, "privateKey": public}]))
    create(gcp, gcp.credentials(key_file(STRANGER)))


def test_no_private_key_is_shown_by_a_repr(gcp: Gcp) -> None:
    assert "PRIVATE" not in repr(gcp.server)
