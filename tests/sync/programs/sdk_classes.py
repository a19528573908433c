"""A Pulumi program that declares what a state holds by the classes of the providers' own SDKs.

`EXPORTED` names a file: the state as `pulumi stack export --show-secrets` writes it.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_azure_native as azure
import pulumi_gcp as gcp

PROVIDERS = {"aws": aws.Provider, "azure-native": azure.Provider, "gcp": gcp.Provider}
CLASSES = {
    "aws:secretsmanager/secret:Secret": aws.secretsmanager.Secret,
    "aws:secretsmanager/secretVersion:SecretVersion": aws.secretsmanager.SecretVersion,
    "gcp:secretmanager/secret:Secret": gcp.secretmanager.Secret,
    "gcp:secretmanager/secretVersion:SecretVersion": gcp.secretmanager.SecretVersion,
    "azure-native:keyvault:Secret": azure.keyvault.Secret,
    "azure-native:keyvault:Vault": azure.keyvault.Vault,
}
NAMES_ARE_DATA = {"tags", "labels", "annotations"}
PLAINTEXT = "plaintext"


def in_python(value: Any, key: str = "") -> Any:
    """The value with the SDK's names, and with its secrets as secrets."""
    if isinstance(value, list):
        return [in_python(entry) for entry in value]
    if not isinstance(value, dict) or key in NAMES_ARE_DATA:
        return value
    if PLAINTEXT in value:
        return pulumi.Output.secret(json.loads(value[PLAINTEXT]))
    # What starts so is the provider's own remark, as which defaults it filled in.
    named = {name: entry for name, entry in value.items() if not name.startswith("__")}
    return {in_snake_case(name): in_python(entry, name) for name, entry in named.items()}


def in_snake_case(name: str) -> str:
    """A name of the provider's schema as the SDK has it."""
    return re.sub("[A-Z]", lambda big: f"_{big[0].lower()}", name)


state = json.loads(Path(os.environ["EXPORTED"]).read_text(encoding="utf-8"))["deployment"]["resources"]
providers: dict[str, pulumi.ProviderResource] = {}
declared: dict[str, pulumi.CustomResource] = {}
ids: dict[str, pulumi.Output[str]] = {}
for resource in state:
    urn = resource["urn"]
    name = urn.split("::")[3]
    if (make := PROVIDERS.get(resource["type"].removeprefix("pulumi:providers:"))) is not None:
        providers[urn] = make(name, opts=pulumi.ResourceOptions(ignore_changes=["*"]))
    elif resource["type"] in CLASSES:
        defaults = resource["inputs"].get("__defaults", ())
        given = in_python({key: value for key, value in resource["inputs"].items() if key not in defaults})
        options = pulumi.ResourceOptions(
            provider=providers[resource["provider"].rpartition("::")[0]],
            depends_on=[declared[other] for other in resource.get("dependencies", ())],
            ignore_changes=resource.get("ignoreChanges"),
            delete_before_replace=False,
            retain_on_delete=resource.get("retainOnDelete", False),
        )
        # Where the ID of another stands, its output is meant.
        linked = {key: ids.get(value, value) if isinstance(value, str) else value for key, value in given.items()}
        declared[urn] = CLASSES[resource["type"]](name, **linked, opts=options)
        ids[resource["id"]] = declared[urn].id
