"""The sandbox's Azure: Resource Manager for key vaults, the vaults themselves, Entra ID's tokens, managed identities.

Four layers:
- `urls`: which call a request is.
- `responses`: the gate (faults, then who calls, then quotas); `arm` and `dataplane` answer for the two services.
- `models`: subscriptions and vaults; `secrets`: what a vault holds; `identities`: who is known and may do what.
- `exceptions`: the refusals in Azure's own words, per service.
"""

from uss.sandbox.azure.server import AzureServer

__all__ = ["AzureServer"]
