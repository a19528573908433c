"""Whether this machine is one of Azure's: managed identities get their tokens from its metadata service.

Source: Azure, "Managed identities on a virtual machine: how to acquire a token"; App Service, Container Apps and
Functions name another endpoint in the environment.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

_IMDS = "http://169.254.169.254"
_OTHER_ENDPOINTS = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE")
_SECONDS = 2.0


def answers(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether managed identities can get tokens here. Opens a connection for at most two seconds and sends nothing
    of value.
    """
    if any(environment.get(name) for name in _OTHER_ENDPOINTS):
        return True
    address = urlsplit(environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST") or _IMDS)
    request = b"GET /metadata/identity/oauth2/token HTTP/1.1\r\nHost: metadata\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((address.hostname or "", address.port or 80), timeout=_SECONDS) as connection:
            connection.sendall(request)
            return bool(connection.recv(1))
    except OSError:
        return False
