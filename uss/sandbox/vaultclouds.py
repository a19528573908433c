"""What the vault file says of the clouds: identities and whom they trust, and what is there before the sync."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from uss.sandbox.quotas import AzureLimits
from uss.sandbox.serviceaccounts import read_key


class FileModel(BaseModel):
    """A part of the vault file: keys in camel case, unknown ones are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class FederatedTrust(FileModel):
    """Tokens of a CI's OpenID Connect that are trusted: `*` in a subject stands for anything."""

    issuer: str
    audiences: list[str]
    subjects: list[str]


AwsAccount = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]


class AwsAccessKey(FileModel):
    """An access key of an IAM user. `allows` are IAM actions, `*` among them as a wildcard."""

    access_key_id: str
    secret_access_key: str
    user: str | None = None
    account: AwsAccount | None = None
    allows: list[str] = Field(default_factory=lambda: ["*"])


class AwsRole(FileModel):
    """A role: `trusts` holds ARNs, account numbers or access key IDs of those who may assume it, `federated` whose
    tokens do.
    """

    arn: Annotated[str, StringConstraints(pattern=r"^arn:aws:iam::\d{12}:role/\S+$")]
    trusts: list[str]
    federated: list[FederatedTrust] = Field(default_factory=list)
    external_id: str | None = None
    allows: list[str] = Field(default_factory=lambda: ["*"])


class AwsCloud(FileModel):
    """The AWS side: the account of keys that name none, more access keys, and the roles."""

    account: AwsAccount = "123456789012"
    access_keys: list[AwsAccessKey] = Field(default_factory=list)
    roles: list[AwsRole] = Field(default_factory=list)


def _service_account_key(value: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
    if value is not None:
        read_key(value)
    return value


class GcpProject(FileModel):
    """A project, and the APIs that are not enabled in it, such as `secretmanager.googleapis.com`."""

    id: Annotated[str, StringConstraints(min_length=1)]
    disabled_services: list[str] = Field(default_factory=list)


class GcpServiceAccount(FileModel):
    """A service account. `allows` are IAM permissions with `*` as a wildcard, on all projects; `impersonators` are the
    e-mail addresses of those who have Token Creator on it, and principals of workload identity pools, one
    (`principal://iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/subject/S`) or all of a pool's
    (`principalSet://iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/*`).
    """

    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
    private_key: Annotated[str | dict[str, Any] | None, AfterValidator(_service_account_key)] = None
    """In PEM, or the JSON that Google hands out, as text or as an object; none: nobody can sign as it, it is only
    impersonated.
    """
    allows: list[str] = Field(default_factory=lambda: ["*"])
    impersonators: list[str] = Field(default_factory=list)


class GcpWorkloadIdentityProvider(FederatedTrust):
    """A provider of a workload identity pool; `subjects` are what its attribute condition lets through."""

    name: Annotated[
        str, StringConstraints(pattern=r"^projects/\d+/locations/global/workloadIdentityPools/[^/]+/providers/[^/]+$")
    ]
    audiences: list[str] = Field(default_factory=list)
    """None: the provider's own name, as GCP asks for where none is given."""


class GcpQuotas(FileModel):
    """Secret Manager's requests in a minute and project; Google's own numbers where the file says nothing else."""

    access: Annotated[int, Field(ge=0)] = 90_000
    read: Annotated[int, Field(ge=0)] = 600
    write: Annotated[int, Field(ge=0)] = 600


class GcpCloud(FileModel):
    """The GCP side: projects besides those of the PAM Configurations' keys, and service accounts."""

    projects: list[str | GcpProject] = Field(default_factory=list)
    service_accounts: list[GcpServiceAccount] = Field(default_factory=list)
    workload_identity_providers: list[GcpWorkloadIdentityProvider] = Field(default_factory=list)
    quotas: GcpQuotas | None = None
    """None: nothing is counted, since a trial is not to wait for a minute's end."""


AzureScope = Annotated[str, StringConstraints(pattern=r"^/subscriptions/[^/]+(/[^/]+)*$", to_lower=True)]


class AzureIdentity(FileModel):
    """A managed identity (no secret: tokens come from the metadata service) or a service principal (with one).
    `federated` are its federated credentials.

    `allows` are actions of Azure's roles, control plane and data plane, with `*` as a wildcard. They hold for `scopes`,
    which are resource IDs with all that lies under them; none: the identity's whole tenant.
    """

    client_id: str
    principal_id: str = ""
    client_secret: str | None = None
    federated: list[FederatedTrust] = Field(default_factory=list)
    tenant: str
    allows: list[str] = Field(default_factory=lambda: ["*"])
    scopes: list[AzureScope] = Field(default_factory=list)


class AzureSubscription(FileModel):
    """A subscription whose tenant neither a PAM Configuration nor a key vault says."""

    id: str
    tenant: str


class AzureResourceGroup(FileModel):
    """A resource group."""

    subscription: str
    name: str
    location: str = "westeurope"


class AzureVault(FileModel):
    """A key vault that is there from the start, and that the sync did not make."""

    subscription: str
    tenant: str | None = None
    """None: that of the subscription."""
    resource_group: str
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z](-?[A-Za-z0-9])+$", min_length=3, max_length=24)]
    location: str = "westeurope"
    rbac: bool = True
    """False: access policies say who may use its secrets, and at first there are none."""
    purge_protection: bool = False


class AzureCloud(FileModel):
    """The Azure side: identities and resources besides those of the PAM Configurations."""

    identities: list[AzureIdentity] = Field(default_factory=list)
    subscriptions: list[AzureSubscription] = Field(default_factory=list)
    resource_groups: list[AzureResourceGroup] = Field(default_factory=list)
    vaults: list[AzureVault] = Field(default_factory=list)
    metadata_service: bool = True
    """Whether the machine is one of Azure's: false, and managed identities get no tokens."""
    limits: AzureLimits = AzureLimits()


class Clouds(FileModel):
    """What the clouds know of identities."""

    aws: AwsCloud = Field(default_factory=AwsCloud)
    azure: AzureCloud = Field(default_factory=AzureCloud)
    gcp: GcpCloud = Field(default_factory=GcpCloud)
    issuers: dict[str, str] = Field(default_factory=dict)
    """Issuers of OpenID Connect by their address, each with the public key (in PEM) that its tokens are signed with."""
