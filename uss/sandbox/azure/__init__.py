"""A local Azure Key Vault, in four layers: urls, responses, models, exceptions; with Entra ID in `identities`."""

from uss.sandbox.azure.server import AzureServer

__all__ = ["AzureServer"]
