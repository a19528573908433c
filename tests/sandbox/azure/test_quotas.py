"""Azure's quotas, hit by the vendor's own clients."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.sandbox.azure.kit import GROUP, PAM_CLIENT, PAM_SECRET, VAULT, VAULT_FILE, Azure, Clients
from uss.sandbox.quotas import AzureLimits
from uss.sandbox.vaultfile import Vault


def limit(azure: Azure, **limits: Any) -> None:
    """Put other limits in the vault file."""
    cloud = VAULT_FILE["clouds"]["azure"] | {"limits": limits}
    azure.vault.vault = Vault.model_validate({**VAULT_FILE, "clouds": {"azure": cloud}})


def waits(refused: pytest.ExceptionInfo[HttpResponseError]) -> int:
    """The seconds that a refusal asks to wait."""
    answer: Any = refused.value.response
    assert refused.value.status_code == 429
    return int(answer.headers["Retry-After"])


def test_the_defaults_are_the_documented_ones() -> None:
    limits = AzureLimits()
    assert (limits.vault_transactions, limits.vault_creations) == (4_000, 300)
    assert (limits.arm_writes.size, limits.arm_writes.per_second) == (200, 10)
    assert (limits.arm_reads.size, limits.arm_reads.per_second) == (250, 25)


def test_a_vault_takes_so_many_creations_in_ten_seconds(running: Azure, clients: Clients) -> None:
    limit(running, vaultCreations=2)
    client = clients.secrets()
    client.set_secret("name", "one")
    client.set_secret("name", "two")
    with pytest.raises(HttpResponseError, match="Throttled") as refused:
        client.set_secret("name", "three")
    assert 9 <= waits(refused) <= 10
    assert client.get_secret("name").value == "two"
    running.clock.ahead += 10
    assert client.set_secret("name", "three").value == "three"


def test_a_vault_takes_so_many_calls_in_ten_seconds_whoever_calls(running: Azure, clients: Clients) -> None:
    limit(running, vaultTransactions=3)
    client, other = clients.secrets(), clients.secrets(clients.credential(PAM_CLIENT, PAM_SECRET))
    client.set_secret("name", "one")
    running.clock.ahead += 6
    client.get_secret("name")
    other.get_secret("name")
    with pytest.raises(HttpResponseError) as refused:
        other.get_secret("name")
    assert 3 <= waits(refused) <= 4
    running.clock.ahead += waits(refused)
    assert other.get_secret("name").value == "one"


def test_writes_through_resource_manager_have_a_bucket_for_each_identity(running: Azure, clients: Clients) -> None:
    limit(running, armWrites={"size": 2, "perSecond": 0.5})
    content: Any = {"properties": {"value": "one"}}
    pam = clients.arm(clients.credential(PAM_CLIENT, PAM_SECRET))
    for _ in range(2):
        pam.secrets.create_or_update(GROUP, VAULT, "name", content)
    with pytest.raises(HttpResponseError, match="TooManyRequests") as refused:
        pam.secrets.create_or_update(GROUP, VAULT, "name", content)
    assert 1 <= waits(refused) <= 2
    assert pam.secrets.get(GROUP, VAULT, "name").name == "name"
    clients.arm().secrets.create_or_update(GROUP, VAULT, "name", content)
    running.clock.ahead += 2
    pam.secrets.create_or_update(GROUP, VAULT, "name", content)


def test_writes_through_resource_manager_count_as_the_vaults_creations(running: Azure, clients: Clients) -> None:
    limit(running, vaultCreations=1)
    content: Any = {"properties": {"value": "one"}}
    clients.arm().secrets.create_or_update(GROUP, VAULT, "name", content)
    with pytest.raises(HttpResponseError, match="Throttled"):
        clients.secrets().set_secret("name", "two")


def test_a_client_that_heeds_the_wait_gets_through(running: Azure, clients: Clients) -> None:
    limit(running, armReads={"size": 3, "perSecond": 1})
    arm = clients.arm(retry_total=2)
    assert {arm.vaults.get(GROUP, VAULT).name for _ in range(5)} == {VAULT}


def test_a_call_without_a_known_identity_is_counted_of_no_quota(running: Azure, clients: Clients) -> None:
    limit(running, vaultTransactions=1)
    client = clients.secrets(clients.credential(PAM_CLIENT, PAM_SECRET))
    client.set_secret("name", "one")
    calls = running.faults.calls()["azure"]
    assert (calls["keyvault.challenge"], calls["keyvault.setSecret"]) == (1, 1)
