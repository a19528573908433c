"""The package `azure-native`: what this project uses of it, which is Key Vault.

Where it departs from the real provider on purpose: it speaks to the sandbox only; it tries a call for seconds, not
minutes; a property that it does not know is an error, never ignored.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar

from uss.sandbox.providers.azure_key_vault import Secret, Vault, get_vault
from uss.sandbox.providers.azure_session import AzureSession, connect
from uss.sandbox.providers.interface import Package
from uss.sandbox.providers.values import Properties


class AzurePackage(Package[AzureSession]):
    """A stand-in for the plugin of the Azure provider."""

    name: ClassVar = "azure-native"
    kinds: ClassVar = {"azure-native:keyvault:Secret": Secret(), "azure-native:keyvault:Vault": Vault()}
    functions: ClassVar = {"azure-native:keyvault:getVault": get_vault}

    def version(self) -> str:
        """Return the version of the installed SDK, which is that of the plugin it asks for."""
        return version("pulumi-azure-native")

    def configure(self, inputs: Properties) -> AzureSession:
        """Take on the configured identity and prove it."""
        return connect(inputs)

    def close(self, config: AzureSession) -> None:
        """Close the connections to Azure."""
        config.close()
