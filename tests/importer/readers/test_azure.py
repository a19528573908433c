"""Azure's reader against the local Azure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ODataV4Format
from azure.keyvault.secrets import SecretClient, SecretProperties

from tests.importer.texts import CANARY, EXACT, showing
from tests.leaks import leaks
from tests.sync.clouds import (
    AZURE_CLIENT,
    AZURE_GROUP,
    AZURE_MANAGED,
    AZURE_SUBSCRIPTION,
    AZURE_TENANT,
    AZURE_VAULT,
    AzureUnderTest,
)
from tests.sync.harness import Sandbox
from uss.clouds.azure import AzureTarget
from uss.errors import CloudDeniedError, CloudError, ConfigurationError
from uss.importer.readers.azure import _problem, _refusal, _unreadable, connect
from uss.importer.readers.filters import Filters
from uss.importer.readers.interface import Caller
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped
from uss.sandbox.faults import Fault, FaultKind

AZURE = AzureUnderTest()
SERVICE_PRINCIPAL = {"syncIdentity": None}
DATA = "Microsoft.KeyVault/vaults/secrets"
MakeTarget = Callable[..., AzureTarget]


def content(*actions: str, trusted: bool = True) -> Any:
    """A vault file with the key vault; the managed identity may do these actions, all if none is given."""
    made = AZURE.vault(trusted=trusted)
    kept = {"subscription": AZURE_SUBSCRIPTION, "resourceGroup": AZURE_GROUP, "name": AZURE_VAULT}
    made["clouds"]["azure"]["vaults"] = [kept]
    if actions:
        made["clouds"]["azure"]["identities"][0]["allows"] = list(actions)
    return made


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[SecretClient]:
    """Microsoft's own client, as the administrator."""
    sandbox.write_vault(content())
    with AZURE.client(sandbox) as client:
        assert client is not None
        yield client


def found(target: AzureTarget, **filters: Any) -> dict[str, Listed]:
    """What the list tells, by name."""
    with connect(target, "cloud") as reader:
        return {listed.name: listed for listed in reader.list(Filters(**filters))}


def read(target: AzureTarget, prefix: str) -> dict[str, CloudSecret | Skipped]:
    """All that can be read, by the name without the prefix."""
    with connect(target, "cloud") as reader:
        listed = list(reader.list(Filters(starts_with=prefix)))
        return {entry.name.removeprefix(prefix): reader.read(entry) for entry in listed}


def test_values_are_exact(target: MakeTarget, client: SecretClient, prefix: str) -> None:
    for name, text in EXACT.items():
        client.set_secret(prefix + name, "old")
        client.set_secret(prefix + name, text)
    secrets = read(target(AZURE, content()), prefix)
    assert {name: getattr(secret, "text", None) for name, secret in secrets.items()} == EXACT
    for name, secret in secrets.items():
        assert isinstance(secret, CloudSecret)
        assert secret.listed.source == f"{client.vault_url}/secrets/{prefix}{name}"
        assert secret.version == client.get_secret(prefix + name).properties.version
        assert secret.text not in repr(secret)


def test_tags_and_content_types_are_told(target: MakeTarget, client: SecretClient, prefix: str) -> None:
    client.set_secret(f"{prefix}a", "{}", tags={"team": "shop"}, content_type="application/json")
    client.set_secret(f"{prefix}b", "x")
    listed = found(target(AZURE, content()), starts_with=prefix.upper())
    assert (listed[f"{prefix}a"].tags, listed[f"{prefix}a"].content_type) == ({"team": "shop"}, "application/json")
    assert (listed[f"{prefix}b"].tags, listed[f"{prefix}b"].content_type) == ({}, "")
    assert [*found(target(AZURE, content()), name=f"{prefix}A".upper(), tags={"team": "shop"})] == [f"{prefix}a"]


def test_more_than_a_page_is_listed(sandbox: Sandbox, target: MakeTarget, client: SecretClient, prefix: str) -> None:
    names = [f"{prefix}{number:03}" for number in range(60)]
    for name in names:
        client.set_secret(name, "x")
    sandbox.control.reset_calls()
    assert [*found(target(AZURE, content()), contains=prefix)] == names
    assert sandbox.control.calls()["azure"]["keyvault.getSecrets"] > 2


def test_what_cannot_be_imported_is_told(target: MakeTarget, client: SecretClient, prefix: str) -> None:
    now = datetime.now(UTC)
    client.set_secret(f"{prefix}disabled", "x", enabled=False)
    client.set_secret(f"{prefix}expired", "x", expires_on=datetime(2020, 1, 2, tzinfo=UTC))
    client.set_secret(f"{prefix}early", "x", not_before=datetime(2120, 1, 2, tzinfo=UTC))
    client.set_secret(f"{prefix}valid", "x", not_before=now - timedelta(days=1), expires_on=now + timedelta(days=1))
    client.set_secret(f"{prefix}deleted", "x")
    client.begin_delete_secret(f"{prefix}deleted").wait()
    listed = found(target(AZURE, content()), starts_with=prefix)
    problems = {name.removeprefix(prefix): entry.problem for name, entry in listed.items()}
    assert (problems.pop("deleted") or "").startswith("is deleted: recoverable, and gone for good on 2")
    assert problems == {
        "disabled": "is disabled",
        "early": "is not valid before 2120-01-02",
        "expired": "has expired (2020-01-02)",
        "valid": None,
    }
    assert listed[f"{prefix}deleted"].source == f"{client.vault_url}/secrets/{prefix}deleted"
    secrets = read(target(AZURE, content()), prefix)
    reasons = {name: secret.reason for name, secret in secrets.items() if isinstance(secret, Skipped)}
    assert reasons == {"disabled": "is disabled", "deleted": "is gone meanwhile"}


def test_a_certificates_secret_is_the_key_vaults() -> None:
    entry = SecretProperties(None, "https://kv.vault.azure.net/secrets/name/1", managed=True)
    assert _problem(entry, datetime.now(UTC)) == "belongs to a certificate, which Key Vault manages"


@pytest.mark.parametrize("identity", [{}, SERVICE_PRINCIPAL, {"syncIdentity": None, "pamConfiguration": None}])
def test_managed_identity_service_principal_or_the_machine_read(
    target: MakeTarget, client: SecretClient, prefix: str, identity: dict[str, None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", AZURE_TENANT)  # of the machine's own identity
    client.set_secret(prefix + "a", "x")
    place = {"subscriptionId": AZURE_SUBSCRIPTION, "tenantId": AZURE_TENANT, "resourceGroup": AZURE_GROUP}
    made = target(AZURE, content(), ambientCredentials=True, **place, **identity)
    assert [*read(made, prefix)] == ["a"]


def test_deleted_secrets_that_may_not_be_seen_are_left_out(
    sandbox: Sandbox, target: MakeTarget, client: SecretClient, prefix: str
) -> None:
    client.set_secret(prefix + "a", "x")
    sandbox.control.add_fault(Fault("azure", "keyvault.getDeletedSecrets", FaultKind.DENIED))
    assert [*found(target(AZURE, content()), starts_with=prefix)] == [prefix + "a"]


def test_a_denied_list_is_one_error_with_the_mend(target: MakeTarget, client: SecretClient) -> None:
    made = target(AZURE, content("Microsoft.KeyVault/vaults/read", f"{DATA}/getSecret/action"))
    with pytest.raises(CloudDeniedError) as caught:
        found(made)
    assert str(caught.value).startswith(
        f'configuration "cloud": the managed identity {AZURE_MANAGED} may not list the key vault\'s secrets: it lacks '
        f"{DATA}/readMetadata/action (the role Key Vault Secrets User, or List in an access policy). Allow it that"
    )
    with pytest.raises(CloudDeniedError, match="look up the key vault kv-test: it lacks .*vaults/read"):
        found(target(AZURE, content(f"{DATA}/*")))


def test_a_denied_read_is_of_the_one_secret(
    sandbox: Sandbox, target: MakeTarget, client: SecretClient, prefix: str
) -> None:
    for name in "abc":
        client.set_secret(prefix + name, "x")
    sandbox.control.add_fault(Fault("azure", "keyvault.getSecret", FaultKind.DENIED, after=1, times=1))
    secrets = read(target(AZURE, content()), prefix)
    [reason] = [secret.reason for secret in secrets.values() if isinstance(secret, Skipped)]
    assert reason.startswith(f"may not be read: allow {DATA}/getSecret/action")
    assert len(secrets) == 3


@pytest.mark.parametrize("kind", [FaultKind.THROTTLED, FaultKind.ERROR, FaultKind.DROPPED])
def test_what_passes_is_waited_for(
    sandbox: Sandbox, target: MakeTarget, client: SecretClient, prefix: str, kind: FaultKind
) -> None:
    client.set_secret(prefix + "a", "x")
    for operation in ("arm.vaults.get", "keyvault.getSecrets", "keyvault.getSecret"):
        sandbox.control.add_fault(Fault("azure", operation, kind, times=2))
    [secret] = read(target(AZURE, content()), prefix).values()
    assert isinstance(secret, CloudSecret)


def test_a_missing_key_vault_is_told(target: MakeTarget) -> None:
    with pytest.raises(CloudError, match="no key vault kv-other in the resource group rg-secrets .*vaultName"):
        connect(target(AZURE, content(), vaultName="kv-other"), "cloud")


def test_a_wrong_identity_is_told(target: MakeTarget) -> None:
    with pytest.raises(CloudDeniedError, match=f"does not accept the managed identity {AZURE_MANAGED}. Check syncI"):
        connect(target(AZURE, content(trusted=False)), "cloud")
    made = target(AZURE, content(), **SERVICE_PRINCIPAL)
    object.__setattr__(made, "client_secret", CANARY)
    with pytest.raises(CloudDeniedError, match=f"service principal {AZURE_CLIENT}.*AADSTS7000215") as caught:
        connect(made, "cloud")
    assert leaks(showing(caught.value), CANARY) == {}


def test_a_managed_identity_elsewhere_is_told(target: MakeTarget) -> None:
    made = content()
    made["clouds"]["azure"]["metadataService"] = False
    with pytest.raises(ConfigurationError, match="this machine has no Azure instance"):
        connect(target(AZURE, made), "cloud")


def test_a_cloud_that_is_not_there_is_told(target: MakeTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uss.importer.readers.azure._RETRIES", {"retry_total": 0})
    monkeypatch.setenv("ARM_METADATA_HOSTNAME", "127.0.0.1:9")
    with pytest.raises(CloudError, match=r"there was no answer from it \(ServiceRequestError\)\. Check the network"):
        connect(target(AZURE, content()), "cloud")


def test_a_garbled_answer_shows_no_value(
    sandbox: Sandbox, target: MakeTarget, client: SecretClient, prefix: str
) -> None:
    client.set_secret(prefix + "a", CANARY)
    sandbox.control.add_fault(Fault("azure", "keyvault.getSecret", FaultKind.GARBLED))
    with pytest.raises(CloudError, match="its answer cannot be read") as caught:
        read(target(AZURE, content()), prefix)
    assert leaks(showing(caught.value), CANARY) == {}


def test_a_key_vaults_firewall_is_no_fault_of_one_secret() -> None:
    inner = {"code": "ForbiddenByFirewall"}
    told = {"code": "Forbidden", "message": "Client address is not authorized", "innererror": inner}
    error = HttpResponseError("refused")
    error.status_code, error.error = 403, ODataV4Format(told)
    assert _unreadable(error) is None
    refusal = _refusal(error, Caller("cloud", "Azure", "somebody"), "list", "all")
    assert str(refusal).endswith(
        'the key vault\'s network rules keep this machine out: Azure says "Client address is not authorized". Run the '
        "import where the key vault lets you in."
    )


def test_what_does_not_pass_is_told(
    sandbox: Sandbox, target: MakeTarget, client: SecretClient, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uss.importer.readers.azure._RETRIES", {"retry_total": 0})
    client.set_secret(prefix + "a", "x")
    sandbox.control.add_fault(Fault("azure", "keyvault.getSecret", FaultKind.THROTTLED))
    with pytest.raises(CloudError, match="when asked to give a secret's value: it says 429 Throttled. Start the"):
        read(target(AZURE, content()), prefix)
