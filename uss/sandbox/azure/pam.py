"""What the PAM Configuration records of a vault file say of Azure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from uss.sandbox.vaultfile import Vault, VaultRecord

_TYPE = "pamAzureConfiguration"


@dataclass(frozen=True)
class PamConfiguration:
    """The entries of one record; one that it does not have is empty, IDs are in lower case."""

    client_id: str
    client_secret: str = field(repr=False)
    subscription: str
    tenant: str
    groups: tuple[str, ...]


def pam_configurations(vault: Vault) -> Iterator[PamConfiguration]:
    """Yield the vault's PAM Configurations of Azure; labels are compared without case and spaces."""
    for record in vault.records:
        if record.type == _TYPE:
            entries = _entries(record)
            names = (line.strip() for line in entries.get("resourcegroups", "").splitlines())
            yield PamConfiguration(
                client_id=entries.get("clientid", "").lower(),
                client_secret=entries.get("clientsecret", ""),
                subscription=entries.get("subscriptionid", "").lower(),
                tenant=entries.get("tenantid", "").lower(),
                groups=tuple(name for name in names if name),
            )


def _entries(record: VaultRecord) -> dict[str, str]:
    return {
        "".join((field.label or field.type).split()).lower(): "\n".join(map(str, field.value))
        for field in [*record.fields, *record.custom]
    }
