"""The package `azure-native`: what this project uses of it, which is Key Vault and the provider's own identity.

Where it departs from the real provider on purpose: it speaks to local clouds only, and finds a vault's endpoint by
asking the local cloud; it waits seconds, not minutes; a managed identity's service is asked once; settings for
identities that it cannot take on (certificates) are errors.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar

from uss.sandbox.providers import azure_functions
from uss.sandbox.providers.azure_config import parse_config
from uss.sandbox.providers.azure_secret import Secret
from uss.sandbox.providers.azure_session import AzureSession, connect
from uss.sandbox.providers.azure_vault import Vault
from uss.sandbox.providers.interface import Package
from uss.sandbox.providers.values import Properties


class AzurePackage(Package[AzureSession]):
    """A stand-in for the plugin of the Azure Native provider."""

    name: ClassVar = "azure-native"
    kinds: ClassVar = {"azure-native:keyvault:Secret": Secret(), "azure-native:keyvault:Vault": Vault()}
    functions: ClassVar = {
        "azure-native:authorization:getClientConfig": azure_functions.get_client_config,
        "azure-native:keyvault:getSecret": azure_functions.get_secret,
        "azure-native:keyvault:getVault": azure_functions.get_vault,
    }

    def version(self) -> str:
        """Return the version of the installed SDK, which is that of the plugin it asks for."""
        return version("pulumi-azure-native")

    def configure(self, inputs: Properties) -> AzureSession:
        """Take on the configured identity; nothing is asked of it before the first call."""
        return connect(parse_config(inputs))

    def close(self, config: AzureSession) -> None:
        """Close the connections to Azure."""
        config.close()
