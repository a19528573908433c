"""The functions of the package `azure-native` that look at Key Vault and at the provider's own identity."""

from __future__ import annotations

from uss.sandbox.providers.azure_resource import INPUTS, shown
from uss.sandbox.providers.azure_secret import secret_path, secret_properties
from uss.sandbox.providers.azure_session import AzureSession
from uss.sandbox.providers.azure_vault import vault_path
from uss.sandbox.providers.values import Properties


def get_secret(session: AzureSession, arguments: Properties) -> Properties:
    """`getSecret`: a secret as Resource Manager shows it, which is without its value."""
    answer = session.call("GET", secret_path(session, arguments))
    return _result(answer, secret_properties(answer))


def get_vault(session: AzureSession, arguments: Properties) -> Properties:
    """`getVault`: a key vault."""
    answer = session.call("GET", vault_path(session, arguments))
    return _result(answer, dict(answer.get("properties") or {}))


def get_client_config(session: AzureSession, arguments: Properties) -> Properties:
    """`getClientConfig`: who the provider is to Azure, by its token before its configuration."""
    claims = session.claims()
    return {
        "clientId": claims.get("appid") or session.config.client_id,
        "objectId": claims.get("oid", ""),
        "subscriptionId": session.config.subscription_id,
        "tenantId": claims.get("tid") or session.config.tenant_id,
    }


def _result(answer: Properties, properties: Properties) -> Properties:
    return shown(answer, {}, properties) | {INPUTS: None}
