"""The configuration of the Azure Native provider: its inputs, and the environment where an input is not given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from uss.sandbox.providers.interface import ProviderError
from uss.sandbox.providers.values import Properties

_ENVIRONMENT = {
    "subscriptionId": "ARM_SUBSCRIPTION_ID",
    "tenantId": "ARM_TENANT_ID",
    "clientId": "ARM_CLIENT_ID",
    "clientSecret": "ARM_CLIENT_SECRET",
    "useMsi": "ARM_USE_MSI",
    "metadataHost": "ARM_METADATA_HOSTNAME",
    "location": "ARM_LOCATION",
    "useOidc": "ARM_USE_OIDC",
    "oidcTokenFilePath": "ARM_OIDC_TOKEN_FILE_PATH",
    "clientCertificatePath": "ARM_CLIENT_CERTIFICATE_PATH",
    "useDefaultAzureCredential": "ARM_USE_DEFAULT_AZURE_CREDENTIAL",
}


class AzureConfig(BaseModel):
    """The settings that the stand-in honours, or refuses where they name an identity it cannot take on.

    Others are passed over, as the real provider does: `environment` beside a metadata host, `msiEndpoint` (Azure's SDK
    finds the service by itself); `auxiliaryTenantIds` too, for a key vault and its subscription share a tenant.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    subscription_id: str = ""
    tenant_id: str = ""
    client_id: str = Field(default="", repr=False)
    client_secret: str = Field(default="", repr=False)
    use_msi: bool = False
    use_default_azure_credential: bool = False
    metadata_host: str = ""
    location: str = ""
    use_oidc: bool = False
    oidc_token_file_path: str = ""
    client_certificate_path: str = ""


def parse_config(inputs: Properties, environ: Mapping[str, str] | None = None) -> AzureConfig:
    """Read the provider's inputs; raise `ProviderError` naming the key and the fault, never a value."""
    environ = os.environ if environ is None else environ
    given: dict[str, Any] = {key: environ[name] for key, name in _ENVIRONMENT.items() if environ.get(name)}
    given |= {key: value for key, value in inputs.items() if value not in (None, "")}
    try:
        config = AzureConfig.model_validate(given)
    except ValidationError as error:
        faults = "; ".join(
            f"azure-native:{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise ProviderError(f"the configuration of the Azure provider cannot be used: {faults}") from None
    return config
