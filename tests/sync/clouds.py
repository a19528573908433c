"""The clouds as the lifecycle tests see them: how each is configured, and what its vendor's own client sees."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, ClassVar

from google.cloud import secretmanager_v1
from google.cloud.secretmanager_v1.services.secret_manager_service.transports.rest import (
    SecretManagerServiceRestTransport,
)
from google.oauth2 import service_account

from tests.sync.harness import KEY_ID, OTHER_FOLDER, PAM, ROLE, Project, Record, Sandbox, vault
from uss.sandbox.gcp import service_account_key

GCP_PROJECT = "payments-prod"
GCP_KEY = service_account_key("pam", GCP_PROJECT, "https://oauth2.googleapis.com/token")
GCP_TARGET = f"keeper-uss@{GCP_PROJECT}.iam.gserviceaccount.com"
GCP_PAM = "PAMCONFIG-gcp-00000001"


class CloudUnderTest(ABC):
    """One cloud."""

    name: ClassVar[str]
    illegal_title: ClassVar[str]
    limit: ClassVar[int] = 65_536
    wrong_identity: ClassVar[str]
    """What is said when the Sync Identity refuses the caller."""
    taken: ClassVar[str]
    """What is said when a name exists already."""
    create: ClassVar[str]
    """The operation that creates a secret, as the counters name it."""
    writes: ClassVar[frozenset[str]]
    """The operations that write."""

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
    def put_foreign(self, project: Project, name: str, value: str) -> None:
        """Make a secret that is nobody's here."""

    def calls(self, sandbox: Sandbox) -> set[str]:
        """The writing operations that were called since the last reset."""
        return set(sandbox.control.calls().get(self.name, {})) & self.writes


class AwsUnderTest(CloudUnderTest):
    """AWS Secrets Manager."""

    name = "aws"
    illegal_title = "Illegal: Title"
    wrong_identity = "is not authorized to perform: sts:AssumeRole"
    taken = "ResourceExistsException"
    create = "secretsmanager:CreateSecret"
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

    def put_foreign(self, project: Project, name: str, value: str) -> None:
        """See `CloudUnderTest`."""
        with closing(project.sandbox.aws()) as client:
            client.create_secret(Name=project.prefix + name, SecretString=value)


class GcpUnderTest(CloudUnderTest):
    """GCP Secret Manager."""

    name = "gcp"
    illegal_title = "illegal/title"
    wrong_identity = "iam.serviceAccounts.getAccessToken"
    taken = "already exists"
    create = "secretmanager.CreateSecret"
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

    def put_foreign(self, project: Project, name: str, value: str) -> None:
        """See `CloudUnderTest`."""
        with self.client(project.sandbox) as client:
            secret = client.create_secret(
                request={
                    "parent": f"projects/{GCP_PROJECT}",
                    "secret_id": project.prefix + name,
                    "secret": {"replication": {"automatic": {}}},
                }
            )
            client.add_secret_version(request={"parent": secret.name, "payload": {"data": value.encode()}})

    def states(self, project: Project, name: str) -> list[str]:
        """The states of a secret's versions, the oldest first."""
        with self.client(project.sandbox) as client:
            parent = f"projects/{GCP_PROJECT}/secrets/{project.prefix}{name}"
            versions = list(client.list_secret_versions(request={"parent": parent}))
        return [version.state.name for version in reversed(versions)]

    @contextmanager
    def client(self, sandbox: Sandbox) -> Iterator[secretmanager_v1.SecretManagerServiceClient]:
        """Google's own client, as the sandbox's administrator."""
        credentials = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]  # google-auth has no types here
            sandbox.environment["GOOGLE_APPLICATION_CREDENTIALS"],
            scopes=["https://www.googleapis.com/auth/cloud-platform"],
        )
        host = sandbox.environment["USS_SANDBOX_GCP_URL"].partition("://")[2]
        transport = SecretManagerServiceRestTransport(host=host, credentials=credentials, url_scheme="http")
        with closing(transport):
            yield secretmanager_v1.SecretManagerServiceClient(transport=transport)


CLOUDS: list[CloudUnderTest] = [AwsUnderTest(), GcpUnderTest()]
