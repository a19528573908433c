"""A key vault as the vendor's own client sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.leaks import leaks
from tests.sandbox.azure.kit import PAM_CLIENT, PAM_SECRET, PROTECTED, READER_CLIENT, READER_SECRET, VAULT, Clients
from uss.sandbox.azure import AzureServer
from uss.sandbox.faults import Fault, FaultBoard, FaultKind


def test_a_secret_is_written_and_read_back_with_all_that_was_said_of_it(clients: Clients) -> None:
    client = clients.secrets(clients.credential(PAM_CLIENT, PAM_SECRET))
    until = datetime(2040, 1, 1, tzinfo=UTC)
    client.set_secret("Database-1", "pässword", content_type="text/plain", tags={"a": "b"}, expires_on=until)
    found = client.get_secret("database-1")
    assert (found.value, found.properties.content_type, found.properties.tags) == ("pässword", "text/plain", {"a": "b"})
    assert found.properties.expires_on == until
    assert found.properties.enabled
    assert found.properties.recovery_level == "Recoverable+Purgeable"


def test_every_write_makes_a_version_and_old_ones_stay_readable(clients: Clients) -> None:
    client = clients.secrets()
    first = client.set_secret("name", "one")
    client.set_secret("name", "two")
    assert client.get_secret("name").value == "two"
    assert client.get_secret("name", first.properties.version).value == "one"
    assert len(list(client.list_properties_of_secret_versions("name"))) == 2
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("name", "0" * 32)


def test_properties_change_without_a_new_version_and_a_disabled_one_is_not_given(clients: Clients) -> None:
    client = clients.secrets()
    version = client.set_secret("name", "value", tags={"kept": "yes"}).properties.version
    changed = client.update_secret_properties("name", enabled=False, content_type="text/plain")
    assert (changed.version, changed.enabled, changed.tags) == (version, False, {"kept": "yes"})
    with pytest.raises(HttpResponseError, match="not allowed on a disabled secret") as refused:
        client.get_secret("name")
    assert refused.value.status_code == 403


def test_all_secrets_are_listed_over_several_pages(clients: Clients) -> None:
    client = clients.secrets()
    names = sorted(f"name-{number:02}" for number in range(30))
    for name in names:
        client.set_secret(name, "value")
    assert [item.name for item in client.list_properties_of_secrets()] == names
    assert [item.name for item in client.list_properties_of_secrets(max_page_size=7)] == names


def test_a_deleted_secret_is_kept_with_its_name_until_it_is_recovered(clients: Clients) -> None:
    client = clients.secrets()
    client.set_secret("name", "one")
    client.set_secret("name", "two")
    client.begin_delete_secret("name").wait()
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        client.get_secret("name")
    with pytest.raises(ResourceExistsError, match="deleted but recoverable"):
        client.set_secret("NAME", "three")
    deleted = client.get_deleted_secret("name")
    assert deleted.scheduled_purge_date
    assert deleted.deleted_date
    assert (deleted.scheduled_purge_date - deleted.deleted_date).days == 90
    assert [item.name for item in client.list_deleted_secrets()] == ["name"]
    client.begin_recover_deleted_secret("name").wait()
    assert client.get_secret("name").value == "two"
    assert len(list(client.list_properties_of_secret_versions("name"))) == 2


def test_a_purged_secret_is_gone_unless_the_vault_is_protected(clients: Clients) -> None:
    client, protected = clients.secrets(), clients.secrets(vault=PROTECTED)
    for vault in (client, protected):
        vault.set_secret("name", "one")
        vault.begin_delete_secret("name").wait()
    client.purge_deleted_secret("name")
    client.set_secret("name", "two")
    assert len(list(client.list_properties_of_secret_versions("name"))) == 1
    with pytest.raises(HttpResponseError, match="purge protection"):
        protected.purge_deleted_secret("name")


@pytest.mark.parametrize(
    ("name", "value", "more"),
    [
        ("name", "x" * 25_601, {}),
        ("name", "ä" * 12_801, {}),
        ("name", "", {}),
        ("name_1", "canary", {}),
        ("n" * 128, "canary", {}),
        ("name", "canary", {"tags": {str(number): "" for number in range(16)}}),
        ("name", "canary", {"content_type": "c" * 256}),
    ],
)
def test_what_is_beyond_the_limits_is_refused_without_the_value(
    clients: Clients, name: str, value: str, more: Any
) -> None:
    client = clients.secrets()
    with pytest.raises(HttpResponseError, match="BadParameter") as refused:
        client.set_secret(name, value, **more)
    assert refused.value.status_code == 400
    assert not value or value not in str(refused.value)
    client.set_secret("name", "x" * 25_600)


def test_a_denied_call_names_the_missing_permission(clients: Clients) -> None:
    clients.secrets().set_secret("name", "canary")
    client = clients.secrets(clients.credential(READER_CLIENT, READER_SECRET))
    assert [item.name for item in client.list_properties_of_secrets()] == ["name"]
    calls: dict[str, Callable[[], object]] = {
        "getSecret/action": lambda: client.get_secret("name"),
        "setSecret/action": lambda: client.set_secret("name", "canary"),
        "delete": lambda: client.begin_delete_secret("name"),
        "purge/action": lambda: client.purge_deleted_secret("name"),
        "recover/action": lambda: client.begin_recover_deleted_secret("name"),
    }
    for action, call in calls.items():
        with pytest.raises(HttpResponseError, match="ForbiddenByRbac") as refused:
            call()
        assert refused.value.status_code == 403
        assert f"Action: 'Microsoft.KeyVault/vaults/secrets/{action}'" in str(refused.value)
        assert leaks(str(refused.value), "canary") == {}


@pytest.mark.parametrize(
    ("kind", "status"), [(FaultKind.DENIED, 403), (FaultKind.THROTTLED, 429), (FaultKind.ERROR, 500)]
)
def test_a_fault_is_told_as_the_service_tells_it(
    clients: Clients, faults: FaultBoard, kind: FaultKind, status: int
) -> None:
    client = clients.secrets()
    client.set_secret("name", "value")
    faults.add(Fault("azure", "keyvault.getSecret", kind, times=1, seconds=2.5))
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret("name")
    assert refused.value.status_code == status
    answer: Any = refused.value.response
    assert answer.headers.get("Retry-After") == ("3" if status == 429 else None)
    assert client.get_secret("name").value == "value"


@pytest.mark.parametrize("kind", [FaultKind.DROPPED, FaultKind.LOST, FaultKind.GARBLED, FaultKind.THROTTLED])
def test_a_client_that_tries_again_gets_over_a_passing_fault(
    clients: Clients, faults: FaultBoard, kind: FaultKind
) -> None:
    client = clients.secrets(retry_total=3, retry_backoff_factor=0.01)
    client.set_secret("name", "value")
    faults.add(Fault("azure", "keyvault.setSecret", kind, times=1))
    if kind is FaultKind.GARBLED:
        with pytest.raises(Exception, match=r"."):
            client.set_secret("name", "again")
    else:
        client.set_secret("name", "again")
    written = 3 if kind is FaultKind.LOST else 2
    assert len(list(client.list_properties_of_secret_versions("name"))) == written


def test_the_dump_shows_every_secret_with_its_versions(clients: Clients, azure: AzureServer) -> None:
    client = clients.secrets()
    client.set_secret("name", "one")
    client.set_secret("name", "two", content_type="text/plain", tags={"a": "b"})
    client.set_secret("gone", "old")
    client.begin_delete_secret("gone").wait()
    content = azure.dump()
    assert set(content) == {VAULT, PROTECTED}
    shown = content[VAULT]["name"]
    assert (shown["value"], shown["contentType"], shown["tags"]) == ("two", "text/plain", {"a": "b"})
    assert (shown["versions"], shown["deleted"], shown["deletedDate"]) == (2, False, None)
    assert [version["enabled"] for version in shown["history"]] == [True, True]
    assert content[VAULT]["gone"]["deleted"]
    assert content[VAULT]["gone"]["deletedDate"]
