"""The configuration of the GCP provider: what the engine hands over, then the real provider's environment variables,
then the sandbox's own one for the addresses.

Nested values arrive as JSON in strings. Variables: "provider configuration reference" of terraform-provider-google.
"""

from __future__ import annotations

import json
import os
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from uss.sandbox.providers.interface import ProviderError
from uss.sandbox.providers.values import Properties

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"

ENDPOINT_VARIABLE = "USS_SANDBOX_GCP_URL"
"""Where the sandbox's GCP is: Secret Manager, IAM Credentials and the token endpoint."""

_VARIABLES = {
    "project": ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
    "region": ("GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"),
    "credentials": ("GOOGLE_CREDENTIALS", "GOOGLE_CLOUD_KEYFILE_JSON", "GCLOUD_KEYFILE_JSON"),
    "accessToken": ("GOOGLE_OAUTH_ACCESS_TOKEN",),
    "impersonateServiceAccount": ("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",),
    "secretManagerCustomEndpoint": ("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT",),
    "iamCredentialsCustomEndpoint": ("GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT",),
}


class GcpConfig(BaseModel):
    """The settings that the stand-in honours.

    The real provider's others mean nothing here: `zone`, other services' endpoints, `batching`; and `billingProject`
    and `userProjectOverride`, since the local cloud has no quota to charge.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    project: str | None = None
    region: str | None = None
    credentials: str | None = Field(default=None, repr=False)
    """A key as JSON, or the path of a file that holds it."""
    access_token: str | None = Field(default=None, repr=False)
    impersonate_service_account: str | None = None
    impersonate_service_account_delegates: list[str] = Field(default_factory=list)
    external_credentials: None = None
    scopes: list[str] = Field(default_factory=lambda: [CLOUD_PLATFORM])
    secret_manager_custom_endpoint: str | None = None
    iam_credentials_custom_endpoint: str | None = None
    default_labels: dict[str, str] = Field(default_factory=dict)
    add_pulumi_attribution_label: bool = True
    pulumi_attribution_label_addition_strategy: str = "CREATION_ONLY"
    deletion_policy: str = "DELETE"

    @field_validator(
        "impersonate_service_account_delegates", "scopes", "default_labels", "external_credentials", mode="before"
    )
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value


def parse_config(inputs: Properties) -> GcpConfig:
    """Read the provider's inputs; raise `ProviderError` naming the key and the fault, never a value."""
    given = {key: value for key, value in inputs.items() if value not in (None, "")}
    for key, names in _VARIABLES.items():
        value = next((os.environ[name] for name in names if os.environ.get(name)), None)
        # Keys and tokens exclude each other: those of the environment do not mix with the program's.
        if value and key not in given and not (key == "credentials" and "accessToken" in given):
            given[key] = value
    if inputs.get("credentials") and not inputs.get("accessToken"):
        given.pop("accessToken", None)
    if url := os.environ.get(ENDPOINT_VARIABLE):
        given = {f"{service}CustomEndpoint": f"{url}/v1/" for service in ("secretManager", "iamCredentials")} | given
    try:
        return GcpConfig.model_validate(given)
    except ValidationError as error:
        faults = "; ".join(
            f"gcp:{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise ProviderError(f"the configuration of the GCP provider cannot be used: {faults}") from None
