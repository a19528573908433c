"""The environment that points Pulumi, the vendors' SDKs and Keeper's tools to the sandbox."""

from __future__ import annotations

import base64
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import certifi

from uss.sandbox.engine import find_engine
from uss.sandbox.layout import Layout
from uss.sandbox.vaultclouds import AwsAccessKey, AzureIdentity

_REGION = "us-east-1"
_LOOPBACK = "localhost,127.0.0.1"
_FOREIGN_GOOGLE = (
    "GOOGLE_CREDENTIALS",
    "GOOGLE_CLOUD_KEYFILE_JSON",
    "GCLOUD_KEYFILE_JSON",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
    "GOOGLE_PROJECT",
    "GOOGLE_CLOUD_PROJECT",
    "GCLOUD_PROJECT",
    "CLOUDSDK_CORE_PROJECT",
)
"""What would lead the plugin to another identity or project of this machine."""
# What would lead the plugin, or Microsoft's clients, to another identity or another Azure of this machine.
_FOREIGN_AZURE = (
    "ARM_CLIENT_CERTIFICATE_PATH",
    "ARM_CLIENT_ID",
    "ARM_CLIENT_SECRET",
    "ARM_METADATA_HOST",
    "ARM_MSI_ENDPOINT",
    "ARM_OIDC_TOKEN_FILE_PATH",
    "ARM_SUBSCRIPTION_ID",
    "ARM_TENANT_ID",
    "ARM_USE_DEFAULT_AZURE_CREDENTIAL",
    "ARM_USE_MSI",
    "ARM_USE_OIDC",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_REGIONAL_AUTHORITY_NAME",
    "AZURE_SUBSCRIPTION_ID",
    "IDENTITY_ENDPOINT",
    "MSI_ENDPOINT",
)


def aws_exports(url: str, administrator: AwsAccessKey, layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what an AWS SDK needs to reach the sandbox and nothing else.

    Variables of the present environment that would lead a call or a credential elsewhere get a harmless value: a
    shell cannot be told to unset them by `export` lines.
    """
    layout.write_private(layout.aws_config, "[default]\n")
    exports = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": administrator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": administrator.secret_access_key,
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(layout.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": _LOOPBACK,
    }
    neutral = {
        "AWS_SESSION_TOKEN": "",
        "AWS_SECURITY_TOKEN": "",
        "AWS_PROFILE": "default",  # an empty one is refused by boto3
        "AWS_DEFAULT_PROFILE": "default",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
        "AWS_ENDPOINT_URL_STS": url,
        "AWS_ENDPOINT_URL_IAM": url,
        "no_proxy": _LOOPBACK,  # where there are both, this one wins
    }
    return exports | {name: value for name, value in neutral.items() if name in environ}


def gcp_exports(
    url: str, administrator: Mapping[str, str], layout: Layout, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return what Google's clients and the stand-in plugin need: where the local GCP is, and an administrator's key."""
    layout.write_private(layout.gcp_key, json.dumps(dict(administrator)))
    exports = {
        "USS_SANDBOX_GCP_URL": url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(layout.gcp_key),
        # The real provider's own names, with the API's version as it wants them.
        "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT": f"{url}/v1/",
        "GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT": f"{url}/v1/",
    }
    return exports | {name: "" for name in _FOREIGN_GOOGLE if name in environ}


def azure_exports(
    url: str, metadata_url: str, administrator: AzureIdentity, environ: Mapping[str, str], subscription: str = ""
) -> dict[str, str]:
    """Return what Microsoft's clients and the stand-in plugin need: where the local Azure is, and an administrator."""
    exports = {
        "ARM_METADATA_HOSTNAME": url.partition("://")[2],
        "AZURE_AUTHORITY_HOST": url,
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": metadata_url,
        "AZURE_TENANT_ID": administrator.tenant,
        "AZURE_CLIENT_ID": administrator.client_id,
        "AZURE_CLIENT_SECRET": administrator.client_secret or "",
    }
    if subscription:
        exports["AZURE_SUBSCRIPTION_ID"] = subscription
    return {name: "" for name in _FOREIGN_AZURE if name in environ} | exports


def keeper_exports(client_config: Mapping[str, str], ca_files: Sequence[Path], layout: Layout) -> dict[str, str]:
    """Return what Keeper's SDK needs: the application's configuration, and whom to trust for TLS."""
    files = [Path(certifi.where()), *ca_files]
    authorities = "".join(file.read_text(encoding="utf-8") for file in files)
    layout.write_private(layout.ca_bundle, authorities)
    return {
        "KSM_CONFIG": base64.b64encode(json.dumps(dict(client_config)).encode()).decode(),
        "REQUESTS_CA_BUNDLE": str(layout.ca_bundle),
    }


def pulumi_exports(provider_ports: Mapping[str, int], layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what an unattended Pulumi engine needs: a backend in the folder, the stand-in plugins, and its PATH."""
    home, state = layout.pulumi / "home", layout.pulumi / "state"
    home.mkdir(parents=True, exist_ok=True)
    state.mkdir(parents=True, exist_ok=True)
    # The language host takes the Python that comes first on PATH, so this environment's goes before everything.
    engine = find_engine()
    path = [os.path.dirname(sys.executable), *([str(engine)] if engine else []), environ.get("PATH", os.defpath)]
    return {
        "PULUMI_DEBUG_PROVIDERS": ",".join(f"{name}:{port}" for name, port in sorted(provider_ports.items())),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_HOME": str(home),
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        # Where the stand-ins are attached, the engine would still look for the real plugins.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PATH": os.pathsep.join(path),
    }


def as_shell(exports: Mapping[str, str]) -> str:
    """Return `export NAME=value` lines, quoted for a POSIX shell."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in exports.items())
