"""The package `gcp`: what this project uses of it, which is Secret Manager.

Where it departs from the real provider on purpose: it speaks to local clouds only, and takes their addresses from the
environment; it tries a failed call for seconds, not for twenty minutes; a property or a setting that it does not know
is an error, never ignored, if it would change what is written or who writes.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import ClassVar

from uss.sandbox.providers import gcp_functions
from uss.sandbox.providers.gcp_config import parse_config
from uss.sandbox.providers.gcp_secret import Secret
from uss.sandbox.providers.gcp_secret_version import SecretVersion
from uss.sandbox.providers.gcp_session import GcpSession, connect
from uss.sandbox.providers.interface import Package, ProviderError
from uss.sandbox.providers.values import Properties

_Function = Callable[[GcpSession, Properties], Properties]

_FUNCTIONS: dict[str, _Function] = {
    "gcp:secretmanager/getSecret:getSecret": gcp_functions.get_secret,
    "gcp:secretmanager/getSecrets:getSecrets": gcp_functions.get_secrets,
    "gcp:secretmanager/getSecretVersion:getSecretVersion": gcp_functions.get_secret_version,
    "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess": gcp_functions.get_secret_version_access,
}


def _invoked(token: str, function: _Function) -> _Function:
    """Let a function's errors begin as the real provider's do."""

    def invoked(session: GcpSession, arguments: Properties) -> Properties:
        try:
            return function(session, arguments)
        except ProviderError as error:
            raise ProviderError(f"invoking {token}: {error}") from None

    return invoked


class GcpPackage(Package[GcpSession]):
    """A stand-in for the plugin of the Google Cloud provider."""

    name: ClassVar = "gcp"
    kinds: ClassVar = {
        "gcp:secretmanager/secret:Secret": Secret(),
        "gcp:secretmanager/secretVersion:SecretVersion": SecretVersion(),
    }
    functions: ClassVar = {token: _invoked(token, function) for token, function in _FUNCTIONS.items()}
    function_secrets: ClassVar = gcp_functions.SECRET_RESULTS

    def version(self) -> str:
        """Return the version of the installed SDK, which is that of the plugin it asks for."""
        return version("pulumi-gcp")

    def configure(self, inputs: Properties) -> GcpSession:
        """Take on the configured identity, which the first call tries."""
        return connect(parse_config(inputs))

    def close(self, config: GcpSession) -> None:
        """Close the connections to Google."""
        config.close()
