"""The functions of the package `gcp` that look at Secret Manager."""

from __future__ import annotations

from google.cloud.secretmanager_v1 import types

from uss.sandbox.providers.gcp_errors import NOT_FOUND, GcpError, gcp_call
from uss.sandbox.providers.gcp_secret import moment, secret_properties
from uss.sandbox.providers.gcp_secret_version import payload_text
from uss.sandbox.providers.gcp_session import GcpSession
from uss.sandbox.providers.interface import ProviderError
from uss.sandbox.providers.values import Properties

SECRET_RESULTS = frozenset({"secretData"})
"""The results that are secret."""

_PAGE = 1000
_LISTING = 'Error when reading or editing SecretManagerSecrets ""'
_READING = "error retrieving available secret manager secret versions"
_ACCESSING = "error retrieving available secret manager secret version access"


def get_secret(session: GcpSession, arguments: Properties) -> Properties:
    """`getSecret`: a secret's description, all its labels and annotations included."""
    project = session.project(arguments)
    name = f"projects/{project}/secrets/{arguments['secretId']}"
    doing = f'Error when reading or editing SecretManagerSecret "{name}"'
    try:
        secret = session.ask(doing, session.client.get_secret, {"name": name})
    except GcpError as error:
        if error.code == NOT_FOUND:
            raise GcpError("", f"{name} not found", NOT_FOUND) from None
        raise
    with gcp_call(doing):
        return _description(project, secret) | {"id": name}


def get_secrets(session: GcpSession, arguments: Properties) -> Properties:
    """`getSecrets`: the descriptions of the project's secrets that pass the filter."""
    project, wanted = session.project(arguments), arguments.get("filter") or ""
    found: list[Properties] = []
    request: Properties = {"parent": f"projects/{project}", "filter": wanted, "page_size": _PAGE}
    while True:
        pager = session.ask(_LISTING, session.client.list_secrets, request)
        with gcp_call(_LISTING):
            page = next(iter(pager.pages))
            found += [_description(project, secret) for secret in page.secrets]
            if not page.next_page_token:
                break
            request = request | {"page_token": page.next_page_token}
    resource_id = f"projects/{project}/secrets" + (f"/filter={wanted}" if wanted else "")
    return {"id": resource_id, "project": project, "filter": arguments.get("filter"), "secrets": found}


def get_secret_version(session: GcpSession, arguments: Properties) -> Properties:
    """`getSecretVersion`: a version by number or alias, or the latest one, and its value unless it is not asked for."""
    name = _version_name(session, arguments)
    version = session.ask(_READING, session.client.get_secret_version, {"name": name})
    with gcp_call(_READING):
        full_name, enabled = str(version.name), version.state == types.SecretVersion.State.ENABLED
        result = _version_properties(full_name, arguments) | {
            "createTime": moment(version.create_time),
            "destroyTime": moment(version.destroy_time),
            "enabled": enabled,
            "fetchSecretData": arguments.get("fetchSecretData") is not False,
        }
    if result["fetchSecretData"]:
        result["secretData"] = _value(session, full_name, arguments)
    return result | {"secretData": result.get("secretData", "")}


def get_secret_version_access(session: GcpSession, arguments: Properties) -> Properties:
    """`getSecretVersionAccess`: a version's value, with the permission to access it alone."""
    name = _version_name(session, arguments)
    accessed = session.ask(_ACCESSING, session.client.access_secret_version, {"name": name})
    with gcp_call(_ACCESSING):
        data = payload_text(accessed.payload.data, bool(arguments.get("isSecretDataBase64")))
        return _version_properties(str(accessed.name), arguments) | {"secretData": data}


def _value(session: GcpSession, name: str, arguments: Properties) -> str:
    accessed = session.ask(_ACCESSING, session.client.access_secret_version, {"name": name})
    with gcp_call(_ACCESSING):
        return payload_text(accessed.payload.data, bool(arguments.get("isSecretDataBase64")))


def _version_name(session: GcpSession, arguments: Properties) -> str:
    secret, version = str(arguments.get("secret") or ""), arguments.get("version") or "latest"
    if not secret:
        raise ProviderError("missing required argument `secret`")
    if "/" not in secret:
        secret = f"projects/{session.project(arguments)}/secrets/{secret}"
    return f"{secret}/versions/{version}"


def _version_properties(full_name: str, arguments: Properties) -> Properties:
    _, project, _, secret_id, _, version = full_name.split("/")
    return {
        "id": full_name,
        "name": full_name,
        "project": arguments.get("project") or project,
        "secret": arguments.get("secret") or secret_id,
        "version": version,
        "isSecretDataBase64": bool(arguments.get("isSecretDataBase64")),
    }


def _description(project: str, secret: types.Secret) -> Properties:
    labels, annotations = dict(secret.labels), dict(secret.annotations)
    found = secret_properties(secret)
    replication = found.pop("replication")
    automatic, managed = replication["auto"], replication["userManaged"]
    replicas = [
        {"location": replica["location"]} | _encryption(replica) for replica in (managed or {}).get("replicas", ())
    ]
    return found | {
        "project": project,
        "secretId": found["name"].rpartition("/")[2],
        "labels": labels,
        "pulumiLabels": labels,
        "effectiveLabels": labels,
        "annotations": annotations,
        "effectiveAnnotations": annotations,
        "replications": [
            {
                "autos": [_encryption(automatic)] if automatic else [],
                "userManageds": [{"replicas": replicas}] if managed else [],
            }
        ],
        "deletionProtection": False,
        "deletionPolicy": "",
        "rotations": [],
        "topics": [],
        "tags": {},
        "ttl": "",
        "secretType": "",
    }


def _encryption(holder: Properties) -> Properties:
    encryption = holder["customerManagedEncryption"]
    return {"customerManagedEncryptions": [encryption] if encryption else []}
