"""What Azure Resource Manager answers, in the shape of its REST reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uss.sandbox.azure.exceptions import ArmError, AzureError, KeyVaultError, reply, resource_not_found
from uss.sandbox.azure.identities import Identity
from uss.sandbox.azure.models import VAULT_TYPE, Directory, KeyVault, Subscription
from uss.sandbox.azure.secrets import Secret, parse_content
from uss.sandbox.azure.urls import Call
from uss.sandbox.wsgi import Response

_RBAC_BY_DEFAULT = "2026-02-01"
"""The first version of the API that makes a vault with RBAC unless it is told otherwise."""


class ArmResponses:
    """Answers the calls of callers that are known; who may do what is decided here, by subscription."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def answer(self, call: Call, caller: Identity, *, denied: bool) -> Response:
        """Answer a call; raise `AzureError` when it is refused."""
        subscription = self._directory.subscription(call.names["subscription"])
        if caller.tenant != subscription.tenant:
            raise ArmError(
                401,
                "InvalidAuthenticationTokenTenant",
                f"The access token is from the wrong issuer 'https://sts.windows.net/{caller.tenant}/'. It must match "
                f"the tenant 'https://sts.windows.net/{subscription.tenant}/' associated with this subscription.",
            )
        if denied or not caller.may(call.action, call.path):
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{caller.client_id}' with object id '{caller.principal_id}' does not have authorization "
                f"to perform action '{call.action}' over scope '{call.path}' or the scope is invalid.",
            )
        return _HANDLERS[call.operation](self, call, subscription)

    def list_groups(self, call: Call, subscription: Subscription) -> Response:
        """List resource groups."""
        return reply({"value": [_group(subscription, *group) for group in subscription.groups.values()]})

    def get_group(self, call: Call, subscription: Subscription) -> Response:
        """Show a resource group."""
        return reply(_group(subscription, *subscription.group(call.names["group"])))

    def check_group(self, call: Call, subscription: Subscription) -> Response:
        """Tell whether a resource group is there."""
        return reply(status=204 if call.names["group"].lower() in subscription.groups else 404)

    def list_vaults(self, call: Call, subscription: Subscription) -> Response:
        """List the vaults of a subscription or a resource group."""
        vaults = self._directory.live(subscription, call.names.get("group"))
        return reply({"value": [vault.described() for vault in vaults]})

    def list_deleted(self, call: Call, subscription: Subscription) -> Response:
        """List deleted vaults."""
        vaults = self._directory.deleted(subscription)
        return reply({"value": [vault.described_deleted() for vault in vaults]})

    def get_deleted(self, call: Call, subscription: Subscription) -> Response:
        """Show a deleted vault."""
        return reply(self._directory.deleted_vault(subscription, call.names["vault"]).described_deleted())

    def purge_deleted(self, call: Call, subscription: Subscription) -> Response:
        """Remove a deleted vault for good."""
        self._directory.purge(subscription, call.names["vault"])
        return reply()

    def get_vault(self, call: Call, subscription: Subscription) -> Response:
        """Show a vault."""
        return reply(self._vault(call, subscription).described())

    def put_vault(self, call: Call, subscription: Subscription) -> Response:
        """Create or change a vault."""
        group, name = call.names["group"], call.names["vault"]
        rbac = call.query.get("api-version", "") >= _RBAC_BY_DEFAULT
        return reply(self._directory.write(subscription, group, name, call.content, rbac=rbac).described())

    def patch_vault(self, call: Call, subscription: Subscription) -> Response:
        """Change what the body names of a vault, and leave the rest."""
        vault = self._vault(call, subscription)
        self._directory.change(vault, call.content)
        return reply(vault.described())

    def delete_vault(self, call: Call, subscription: Subscription) -> Response:
        """Delete a vault; one that is not there is no error."""
        try:
            self._directory.delete(self._vault(call, subscription))
        except ArmError as error:
            if error.code != "ResourceNotFound":
                raise
            return reply(status=204)
        return reply()

    def list_secrets(self, call: Call, subscription: Subscription) -> Response:
        """List the secrets of a vault."""
        vault = self._vault(call, subscription)
        return reply({"value": [_secret(vault, secret) for secret in vault.secrets.all(deleted=False)]})

    def get_secret(self, call: Call, subscription: Subscription) -> Response:
        """Show a secret without its value."""
        vault = self._vault(call, subscription)
        return reply(_secret(vault, self._secret(vault, call)))

    def put_secret(self, call: Call, subscription: Subscription) -> Response:
        """Make a new version, and the secret if there is none."""
        vault = self._vault(call, subscription)
        try:
            secret = vault.secrets.write(call.names["secret"], parse_content(_flat(call)))
        except KeyVaultError as error:
            raise _as_arm(error) from None
        return reply(_secret(vault, secret), 201 if len(secret.versions) == 1 else 200)

    def patch_secret(self, call: Call, subscription: Subscription) -> Response:
        """Change the newest version; a value makes a new one."""
        vault = self._vault(call, subscription)
        secret = self._secret(vault, call)
        try:
            content = parse_content(_flat(call))
            if content.value is not None:
                vault.secrets.write(secret.name, content)
            else:
                secret.current.change(content)
        except KeyVaultError as error:
            raise _as_arm(error) from None
        return reply(_secret(vault, secret))

    def _vault(self, call: Call, subscription: Subscription) -> KeyVault:
        return self._directory.vault(subscription, call.names["group"], call.names["vault"])

    def _secret(self, vault: KeyVault, call: Call) -> Secret:
        try:
            return vault.secrets.live(call.names["secret"])
        except KeyVaultError:
            raise resource_not_found(f"{VAULT_TYPE}/{vault.name}/secrets", call.names["secret"], vault.group) from None


_Handler = Callable[[ArmResponses, Call, Subscription], Response]
_HANDLERS: dict[str, _Handler] = {
    "resourceGroups.list": ArmResponses.list_groups,
    "resourceGroups.get": ArmResponses.get_group,
    "resourceGroups.checkExistence": ArmResponses.check_group,
    "resources.list": ArmResponses.list_vaults,
    "vaults.listBySubscription": ArmResponses.list_vaults,
    "vaults.list": ArmResponses.list_vaults,
    "vaults.get": ArmResponses.get_vault,
    "vaults.createOrUpdate": ArmResponses.put_vault,
    "vaults.update": ArmResponses.patch_vault,
    "vaults.delete": ArmResponses.delete_vault,
    "vaults.listDeleted": ArmResponses.list_deleted,
    "vaults.getDeleted": ArmResponses.get_deleted,
    "vaults.purgeDeleted": ArmResponses.purge_deleted,
    "secrets.list": ArmResponses.list_secrets,
    "secrets.get": ArmResponses.get_secret,
    "secrets.createOrUpdate": ArmResponses.put_secret,
    "secrets.update": ArmResponses.patch_secret,
}


def _as_arm(error: AzureError) -> ArmError:
    return ArmError(error.status, error.code, str(error))


def _flat(call: Call) -> dict[str, Any]:
    content = call.content
    properties = content.get("properties")
    return {"tags": content.get("tags"), **(properties if isinstance(properties, dict) else {})}


def _group(subscription: Subscription, name: str, location: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription.id}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "properties": {"provisioningState": "Succeeded"},
    }


def _secret(vault: KeyVault, secret: Secret) -> dict[str, Any]:
    current, uri = secret.current, f"{vault.uri}/secrets/{secret.name}"
    properties: dict[str, Any] = {
        "attributes": current.attributes(),
        "secretUri": uri,
        "secretUriWithVersion": f"{uri}/{current.id}",
    }
    if current.content_type is not None:
        properties["contentType"] = current.content_type
    return {
        "id": f"{vault.id}/secrets/{secret.name}",
        "name": secret.name,
        "type": f"{VAULT_TYPE}/secrets",
        "location": vault.location,
        "tags": current.tags,
        "properties": properties,
    }
