"""The package `gcp`: what this project uses of it, which is Secret Manager.

Where it departs from the real provider on purpose: it speaks to the sandbox only; it tries a call for seconds, not
minutes; a property that it does not know is an error, never ignored.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar

from uss.sandbox.providers.gcp_secret import Secret
from uss.sandbox.providers.gcp_secret_version import SecretVersion
from uss.sandbox.providers.gcp_session import RETRY, GcpSession, connect, gcp_call
from uss.sandbox.providers.interface import Package
from uss.sandbox.providers.values import Properties


def get_secrets(session: GcpSession, arguments: Properties) -> Properties:
    """`getSecrets`: names and labels of a project's secrets that pass the filter."""
    project = arguments.get("project") or session.project
    with gcp_call("Error listing Secrets"):
        request = {"parent": f"projects/{project}", "filter": arguments.get("filter") or ""}
        found = list(session.client.list_secrets(request=request, retry=RETRY))
    secrets = [
        {
            "name": secret.name,
            "secretId": secret.name.rpartition("/")[2],
            "project": project,
            "labels": dict(secret.labels),
            "annotations": dict(secret.annotations),
        }
        for secret in found
    ]
    return {"id": f"projects/{project}", "project": project, "secrets": secrets}


class GcpPackage(Package[GcpSession]):
    """A stand-in for the plugin of the GCP provider."""

    name: ClassVar = "gcp"
    kinds: ClassVar = {
        "gcp:secretmanager/secret:Secret": Secret(),
        "gcp:secretmanager/secretVersion:SecretVersion": SecretVersion(),
    }

    functions: ClassVar = {"gcp:secretmanager/getSecrets:getSecrets": get_secrets}

    def version(self) -> str:
        """Return the version of the installed SDK, which is that of the plugin it asks for."""
        return version("pulumi-gcp")

    def configure(self, inputs: Properties) -> GcpSession:
        """Take on the configured identity and prove it."""
        return connect(inputs)

    def close(self, config: GcpSession) -> None:
        """Close the connections to GCP."""
        config.close()
