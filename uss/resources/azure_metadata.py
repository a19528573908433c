"""Whether a managed identity can be taken on here: on a machine of Azure's, whose metadata service gives its tokens, or
elsewhere in exchange for a token of OpenID Connect, as a CI gives to its jobs and a cluster to its pods.

Sources: Azure, "Managed identities on a virtual machine: how to acquire a token"; App Service, Container Apps and
Functions name another endpoint in the environment. The azure-native provider's settings `useOidc` and
`oidcTokenFilePath`, which it prefers to a metadata service.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

_IMDS = "http://169.254.169.254"
_OTHER_ENDPOINTS = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")
_USE_OIDC, _TOKEN_FILE = "ARM_USE_OIDC", "ARM_OIDC_TOKEN_FILE_PATH"  # noqa: S105 - a variable's name
_SECONDS = 2.0


def answers(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether managed identities can get tokens here. May open a connection, for at most two seconds, and sends
    nothing of value.
    """
    if environment.get(_USE_OIDC) == "true" or any(environment.get(name) for name in _OTHER_ENDPOINTS):
        return True
    address = urlsplit(environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST") or _IMDS)
    request = b"GET /metadata/identity/oauth2/token HTTP/1.1\r\nHost: metadata\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((address.hostname or "", address.port or 80), timeout=_SECONDS) as connection:
            connection.sendall(request)
            return bool(connection.recv(1))
    except OSError:
        return False


def token_file(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the file whose token is exchanged for a managed identity's; None where the metadata service gives it."""
    return environment.get(_TOKEN_FILE) or None if environment.get(_USE_OIDC) == "true" else None
