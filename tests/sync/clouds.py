"""The clouds as the lifecycle tests see them: how each is configured, and what its vendor's own client sees."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar

from azure.core.exceptions import ResourceNotFoundError
from azure.keyvault.secrets import SecretClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from tests.sync.harness import KEY_ID, OTHER_FOLDER, PAM, ROLE, Project, Record, Sandbox, vault
from uss.sandbox.clients import azure_management, azure_secrets, gcp_client
from uss.sandbox.gcp import service_account_key

GCP_PROJECT = "payments-prod"
GCP_KEY = service_account_key("pam", GCP_PROJECT, "https://oauth2.googleapis.com/token")
GCP_TARGET = f"keeper-uss@{GCP_PROJECT}.iam.gserviceaccount.com"
GCP_PAM = "PAMCONFIG-gcp-00000001"
AZURE_PAM = "PAMCONFIG-azure-000001"
AZURE_TENANT = "11111111-1111-1111-1111-111111111111"
AZURE_SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
AZURE_CLIENT = "33333333-3333-3333-3333-333333333333"
AZURE_MANAGED = "44444444-4444-4444-4444-444444444444"
AZURE_PRINCIPAL = "55555555-5555-5555-5555-555555555555"
AZURE_GROUP, AZURE_VAULT = "rg-secrets", "kv-test"
DESCRIPTION = "made by hand"
EXPIRES = datetime(2100, 1, 1, tzinfo=UTC)


class CloudUnderTest(ABC):
    """One cloud."""

    name: ClassVar[str]
    title: ClassVar[str]
    illegal_title: ClassVar[str]
    limit: ClassVar[int] = 65_536
    wrong_identity: ClassVar[str]
    """What is said when the Sync Identity refuses the caller."""
    taken: ClassVar[str]
    """What is said when a name exists already."""
    deletion: ClassVar[str]
    """What a preview says becomes of a deleted secret."""
    create: ClassVar[str]
    """The operation that creates a secret, as the counters name it."""
    put_value: ClassVar[str]
    """The operation that changes a value."""
    lookup: ClassVar[str]
    """The operation by which a run sees that a name is taken."""
    writes: ClassVar[frozenset[str]]
    """The operations that write."""
    reading: ClassVar[frozenset[str]]
    """The operations that `values` calls: the rest is what a run calls."""
    recovering: ClassVar[frozenset[str]] = frozenset()
    """Those of them that are called when equal secrets are taken into a new state."""

    @abstractmethod
    def configuration(self) -> dict[str, Any]:
        """The keys of a configuration that works."""

    @abstractmethod
    def vault(self, *records: Record, trusted: bool = True) -> Any:
        """A vault file with the records; untrusted: the Sync Identity refuses the PAM Configuration's key."""

    @abstractmethod
    def values(self, project: Project) -> dict[str, str]:
        """What the cloud holds by name without the project's prefix, read by the vendor's own client."""

    @abstractmethod
    def marks(self, project: Project, name: str) -> dict[str, str]:
        """The tags of a secret, whatever the cloud calls them."""

    @abstractmethod
    def versions(self, project: Project, name: str) -> int:
        """How many versions of a secret can be read."""

    @abstractmethod
    def put_foreign(
        self, project: Project, name: str, value: str, tags: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Make a secret that is nobody's here, with tags (on GCP labels)."""

    @abstractmethod
    def describe(self, project: Project, name: str) -> object:
        """What `put_foreign` said of a secret beside its value and tags."""

    def calls(self, sandbox: Sandbox) -> set[str]:
        """The writing operations that were called since the last reset."""
        return set(sandbox.control.calls().get(self.name, {})) & self.writes


class AwsUnderTest(CloudUnderTest):
    """AWS Secrets Manager."""

    name = "aws"
    title = "AWS Secrets Manager"
    illegal_title = "Illegal: Title"
    wrong_identity = "is not authorized to perform: sts:AssumeRole"
    taken = "ResourceExistsException"
    deletion = "AWS can restore it for 30 days"
    create = "secretsmanager:CreateSecret"
    put_value = "secretsmanager:PutSecretValue"
    lookup = "secretsmanager:DescribeSecret"
    reading = frozenset({"secretsmanager:ListSecrets", "secretsmanager:GetSecretValue"})
    writes = frozenset(
        f"secretsmanager:{name}"
        for name in ("CreateSecret", "PutSecretValue", "UpdateSecret", "DeleteSecret", "TagResource", "UntagResource")
    )

    def configuration(self) -> dict[str, Any]:
        """See `CloudUnderTest`."""
        return {"name": "cloud", "pamConfiguration": PAM, "syncIdentity": ROLE}

    def vault(self, *records: Record, trusted: bool = True) -> Any:
        """See `CloudUnderTest`."""
        roles = [{"arn": ROLE, "trusts": [KEY_ID] if trusted else [], "allows": ["secretsmanager:*"]}]
        return vault(*records, roles=roles)

    def values(self, project: Project) -> dict[str, str]:
        """See `CloudUnderTest`."""
        return project.secrets()

    def marks(self, project: Project, name: str) -> dict[str, str]:
        """See `CloudUnderTest`."""
        with closing(project.sandbox.aws()) as client:
            tags = client.describe_secret(SecretId=project.prefix + name)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def versions(self, project: Project, name: str) -> int:
        """See `CloudUnderTest`: the current one, and the one before it."""
        with closing(project.sandbox.aws()) as client:
            return len(client.list_secret_version_ids(SecretId=project.prefix + name)["Versions"])

    def put_foreign(
        self, project: Project, name: str, value: str, tags: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """See `CloudUnderTest`."""
        with closing(project.sandbox.aws()) as client:
            listed = [{"Key": key, "Value": text} for key, text in tags.items()]
            client.create_secret(Name=project.prefix + name, SecretString=value, Tags=listed, Description=DESCRIPTION)

    def describe(self, project: Project, name: str) -> object:
        """See `CloudUnderTest`."""
        with closing(project.sandbox.aws()) as client:
            return client.describe_secret(SecretId=project.prefix + name)["Description"]


class GcpUnderTest(CloudUnderTest):
    """GCP Secret Manager."""

    name = "gcp"
    title = "GCP Secret Manager"
    illegal_title = "illegal/title"
    wrong_identity = "iam.serviceAccounts.getAccessToken"
    taken = "already exists"
    deletion = "at once and for good, with all its versions"
    create = "secretmanager.CreateSecret"
    put_value = "secretmanager.AddSecretVersion"
    lookup = "secretmanager.ListSecrets"
    reading = frozenset({"oauth2.Token", "secretmanager.ListSecrets", "secretmanager.AccessSecretVersion"})
    recovering = frozenset({"secretmanager.EnableSecretVersion"})  # the provider says so once more, and changes nothing
    writes = frozenset(
        f"secretmanager.{name}"
        for name in (
            "CreateSecret",
            "UpdateSecret",
            "DeleteSecret",
            "AddSecretVersion",
            "EnableSecretVersion",
            "DisableSecretVersion",
            "DestroySecretVersion",
        )
    )

    def configuration(self) -> dict[str, Any]:
        """See `CloudUnderTest`."""
        return {"name": "cloud", "pamConfiguration": GCP_PAM, "syncIdentity": GCP_TARGET}

    def vault(self, *records: Record, trusted: bool = True) -> Any:
        """See `CloudUnderTest`."""
        key = {"type": "json", "label": "pamServiceAccountKey", "value": [json.dumps(GCP_KEY)]}
        pam = {
            "uid": GCP_PAM,
            "folder": OTHER_FOLDER,
            "type": "pamGcpConfiguration",
            "title": "GCP",
            "fields": [key],
        }
        content = vault(*records, pam)
        impersonators = [GCP_KEY["client_email"]] if trusted else []
        account = {"email": GCP_TARGET, "allows": ["secretmanager.*"], "impersonators": impersonators}
        content["clouds"]["gcp"] = {"serviceAccounts": [account]}
        return content

    def values(self, project: Project) -> dict[str, str]:
        """See `CloudUnderTest`."""
        found: dict[str, str] = {}
        with self.client(project.sandbox) as client:
            for secret in client.list_secrets(request={"parent": f"projects/{GCP_PROJECT}"}):
                name = secret.name.rpartition("/")[2]
                if name.startswith(project.prefix):
                    answer = client.access_secret_version(request={"name": f"{secret.name}/versions/latest"})
                    found[name.removeprefix(project.prefix)] = answer.payload.data.decode()
        return found

    def marks(self, project: Project, name: str) -> dict[str, str]:
        """See `CloudUnderTest`."""
        with self.client(project.sandbox) as client:
            secret = client.get_secret(request={"name": f"projects/{GCP_PROJECT}/secrets/{project.prefix}{name}"})
        return {**secret.labels, **secret.annotations}

    def versions(self, project: Project, name: str) -> int:
        """See `CloudUnderTest`."""
        return self.states(project, name).count("ENABLED")

    def put_foreign(
        self, project: Project, name: str, value: str, tags: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """See `CloudUnderTest`."""
        with self.client(project.sandbox) as client:
            secret = client.create_secret(
                request={
                    "parent": f"projects/{GCP_PROJECT}",
                    "secret_id": project.prefix + name,
                    "secret": {"replication": {"automatic": {}}, "labels": dict(tags)},
                }
            )
            client.add_secret_version(request={"parent": secret.name, "payload": {"data": value.encode()}})
            aliases = {"name": secret.name, "version_aliases": {"first": 1}}
            client.update_secret(request={"secret": aliases, "update_mask": {"paths": ["version_aliases"]}})

    def describe(self, project: Project, name: str) -> object:
        """See `CloudUnderTest`."""
        with self.client(project.sandbox) as client:
            secret = client.get_secret(request={"name": f"projects/{GCP_PROJECT}/secrets/{project.prefix}{name}"})
        return dict(secret.version_aliases)

    def states(self, project: Project, name: str) -> list[str]:
        """The states of a secret's versions, the oldest first."""
        with self.client(project.sandbox) as client:
            parent = f"projects/{GCP_PROJECT}/secrets/{project.prefix}{name}"
            versions = list(client.list_secret_versions(request={"parent": parent}))
        return [version.state.name for version in reversed(versions)]

    def client(self, sandbox: Sandbox) -> AbstractContextManager[SecretManagerServiceClient]:
        """Google's own client, as the sandbox's administrator."""
        return gcp_client(sandbox.environment)


class AzureUnderTest(CloudUnderTest):
    """Azure Key Vault."""

    name = "azure"
    title = "Azure Key Vault"
    illegal_title = "illegal_title"
    limit = 25_600
    wrong_identity = "Identity not found"
    taken = "cannot create already existing resource"
    deletion = "the key vault keeps it, and its name, until its retention ends"
    create = "arm.secrets.createOrUpdate"
    put_value = "arm.secrets.createOrUpdate"
    lookup = "arm.secrets.get"
    reading = frozenset(
        {
            "entra.configuration",
            "entra.token",
            "arm.vaults.get",
            "keyvault.challenge",
            "keyvault.getSecrets",
            "keyvault.getDeletedSecrets",
            "keyvault.getSecret",
        }
    )
    recovering = frozenset({"arm.secrets.createOrUpdate"})  # Resource Manager never tells whether a value is equal
    writes = frozenset(
        {"arm.secrets.createOrUpdate", "arm.vaults.createOrUpdate", "keyvault.deleteSecret", "keyvault.setSecret"}
    )

    def configuration(self) -> dict[str, Any]:
        """See `CloudUnderTest`."""
        return {
            "name": "cloud",
            "pamConfiguration": AZURE_PAM,
            "syncIdentity": AZURE_MANAGED,
            "vaultName": AZURE_VAULT,
            "location": "westeurope",
        }

    def vault(self, *records: Record, trusted: bool = True) -> Any:
        """See `CloudUnderTest`."""
        labels = {
            "clientId": AZURE_CLIENT,
            "Client Secret": "canary-of-the-client-secret",
            "subscriptionId": AZURE_SUBSCRIPTION,
            "Tenant Id": AZURE_TENANT,
            "resourceGroups": AZURE_GROUP,
        }
        fields = [{"type": "secret", "label": label, "value": [value]} for label, value in labels.items()]
        pam = {
            "uid": AZURE_PAM,
            "folder": OTHER_FOLDER,
            "type": "pamAzureConfiguration",
            "title": "Azure",
            "fields": fields,
        }
        content = vault(*records, pam)
        managed = {"clientId": AZURE_MANAGED, "principalId": AZURE_PRINCIPAL, "tenant": AZURE_TENANT}
        content["clouds"]["azure"] = {"identities": [managed] if trusted else []}
        return content

    def values(self, project: Project) -> dict[str, str]:
        """See `CloudUnderTest`."""
        with self.client(project.sandbox) as client:
            if client is None:
                return {}
            names = [str(entry.name) for entry in client.list_properties_of_secrets()]
            return {
                name.removeprefix(project.prefix): str(client.get_secret(name).value)
                for name in names
                if name.startswith(project.prefix)
            }

    def marks(self, project: Project, name: str) -> dict[str, str]:
        """See `CloudUnderTest`."""
        with self.client(project.sandbox) as client:
            assert client is not None
            return dict(client.get_secret(project.prefix + name).properties.tags or {})

    def versions(self, project: Project, name: str) -> int:
        """See `CloudUnderTest`: all of them, since no version can be taken away."""
        with self.client(project.sandbox) as client:
            assert client is not None
            return len(list(client.list_properties_of_secret_versions(project.prefix + name)))

    def put_foreign(
        self, project: Project, name: str, value: str, tags: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """See `CloudUnderTest`."""
        with self.management(project.sandbox) as management:
            properties = {"tenantId": AZURE_TENANT, "sku": {"family": "A", "name": "standard"}}
            content: Any = {"location": "westeurope", "properties": properties}
            management.vaults.begin_create_or_update(AZURE_GROUP, AZURE_VAULT, content).result()
        with self.client(project.sandbox) as client:
            assert client is not None
            client.set_secret(project.prefix + name, value, tags=dict(tags), expires_on=EXPIRES)

    def describe(self, project: Project, name: str) -> object:
        """See `CloudUnderTest`."""
        with self.client(project.sandbox) as client:
            assert client is not None
            return client.get_secret(project.prefix + name).properties.expires_on

    def management(self, sandbox: Sandbox) -> AbstractContextManager[KeyVaultManagementClient]:
        """Microsoft's client of Resource Manager, as the sandbox's administrator."""
        return azure_management(AZURE_SUBSCRIPTION, sandbox.environment, AZURE_TENANT)

    @contextmanager
    def client(self, sandbox: Sandbox) -> Iterator[SecretClient | None]:
        """Microsoft's client of the key vault, as the sandbox's administrator; None where there is no key vault."""
        with self.management(sandbox) as management:
            try:
                uri = management.vaults.get(AZURE_GROUP, AZURE_VAULT).properties.vault_uri
            except ResourceNotFoundError:
                yield None
                return
        with azure_secrets(str(uri), sandbox.environment, AZURE_TENANT) as client:
            yield client


CLOUDS: list[CloudUnderTest] = [AwsUnderTest(), AzureUnderTest(), GcpUnderTest()]


def configure(project: Project, cloud: CloudUnderTest, **keys: Any) -> None:
    """Write the stack file with one configuration, for the cloud."""
    project.configure(cloud.configuration() | {"namePrefix": project.prefix} | keys)


def configure_all(project: Project) -> None:
    """Write the stack file with a configuration for each cloud, named as the cloud."""
    project.configure(*(cloud.configuration() | {"name": cloud.name, "namePrefix": project.prefix} for cloud in CLOUDS))


def vault_of_all(*records: Record) -> Any:
    """A vault file with the records and all PAM Configurations, and clouds that know the Sync Identities."""
    content: dict[str, Any] = {"folders": [], "records": {}, "clouds": {}}
    for cloud in CLOUDS:
        single = cloud.vault(*records)
        content["folders"] = single["folders"]
        content["records"] |= {record["uid"]: record for record in single["records"]}
        content["clouds"] |= single["clouds"]
    return content | {"records": list(content["records"].values())}
