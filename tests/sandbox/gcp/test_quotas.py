"""Secret Manager's counted quotas, as Google's own client meets them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden, TooManyRequests

from tests.sandbox.gcp.kit import (
    AUTOMATIC,
    OTHER_PROJECT,
    PAM_EMAIL,
    PARENT,
    PROJECT,
    Gcp,
    content,
    key_file,
)
from uss.sandbox.vaultclouds import GcpQuotas
from uss.sandbox.vaultfile import Vault

NAME = f"{PARENT}/secrets/database"


@pytest.fixture(autouse=True)
def a_minutes_beginning(gcp: Gcp) -> None:
    """Set the server's clock to a tenth of a second after a full minute."""
    gcp.ahead = 60 - time.time() % 60 + 0.1


def limit(gcp: Gcp, **quotas: int) -> None:
    gcp.change_vault(content(quotas=quotas))


def create(client: Any, name: str = "database", project: str = PROJECT) -> None:
    client.create_secret(parent=f"projects/{project}", secret_id=name, secret=AUTOMATIC)


def add(client: Any) -> None:
    client.add_secret_version(parent=NAME, payload={"data": b"x"})


def access(client: Any) -> None:
    client.access_secret_version(name=f"{NAME}/versions/latest", retry=None)


def test_nothing_is_counted_unless_the_vault_file_says_so(gcp: Gcp) -> None:
    assert Vault.model_validate(content()).clouds.gcp.quotas is None
    client = gcp.client()
    create(client)
    for _ in range(620):
        client.get_secret(name=NAME)


def test_the_numbers_are_googles_where_the_vault_file_gives_none() -> None:
    told = Vault.model_validate(content(quotas={"read": 7})).clouds.gcp.quotas
    assert told == GcpQuotas(access=90_000, read=7, write=600)


def test_writes_above_the_quota_are_refused_until_the_minutes_end(gcp: Gcp) -> None:
    limit(gcp, write=2)
    client = gcp.client()
    create(client)
    add(client)
    with pytest.raises(TooManyRequests, match="'Write requests per minute' of service 'secretmanager") as refused:
        add(client)
    error = refused.value.response.json()["error"]
    assert (error["status"], error["details"][0]["reason"]) == ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
    wait = int(refused.value.response.headers["Retry-After"])
    assert 50 <= wait <= 60
    assert gcp.server.dump()[PROJECT]["database"]["versions"] == {"1": "ENABLED"}
    gcp.ahead += wait
    add(client)


def test_reads_writes_and_accesses_are_counted_apart(gcp: Gcp) -> None:
    limit(gcp, access=1, read=2, write=2)
    client = gcp.client()
    create(client)
    add(client)
    client.get_secret(name=NAME)
    assert list(client.list_secret_versions(parent=NAME))
    access(client)
    with pytest.raises(TooManyRequests, match="'Read requests per minute'"):
        client.get_secret(name=NAME)
    with pytest.raises(TooManyRequests, match="'Access requests per minute'"):
        access(client)
    with pytest.raises(TooManyRequests, match="'Write requests per minute'"):
        client.delete_secret(name=NAME)


def test_a_project_has_its_own_quota_whoever_calls(gcp: Gcp) -> None:
    limit(gcp, write=1)
    create(gcp.client())
    with pytest.raises(TooManyRequests):
        create(gcp.client(gcp.credentials(key_file())), "other")
    create(gcp.client(), project=OTHER_PROJECT)


def test_a_denied_call_counts_too(gcp: Gcp) -> None:
    gcp.change_vault(content(quotas={"write": 1}, serviceAccounts=[{"email": PAM_EMAIL, "allows": []}]))
    client = gcp.client(gcp.credentials(key_file()))
    with pytest.raises(Forbidden):
        create(client)
    with pytest.raises(TooManyRequests):
        create(client)


def test_a_changed_vault_file_changes_the_quota_at_once(gcp: Gcp) -> None:
    limit(gcp, write=1)
    client = gcp.client()
    create(client)
    limit(gcp, write=2)
    add(client)
