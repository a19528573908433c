"""What the sandbox's AWS knows and the rules it keeps: identities, Secrets Manager's limits, and its content."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core import exceptions as moto_errors
from moto.iam.access_control import CreateAccessKeyFailure, IAMRequest, create_access_key
from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, get_account_id_from, iam_backends
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, secretsmanager_backends
from moto.sts.models import sts_backends

from uss.sandbox.aws.exceptions import (
    AccessDeniedError,
    InvalidIdentityTokenError,
    SecretsManagerError,
    UnknownAccessKeyError,
    UnknownOperationError,
    WrongSignatureError,
)
from uss.sandbox.aws.store import secrets_of
from uss.sandbox.aws.urls import Call
from uss.sandbox.federation import UntrustedTokenError, subject_of
from uss.sandbox.vaultclouds import AwsAccessKey, AwsRole
from uss.sandbox.vaultfile import Vault, VaultFileError, VaultRecord

_PARTITION = "aws"
_TRUST_NOBODY = json.dumps({"Version": "2012-10-17", "Statement": []})

_VALUE_BYTES = 65_536
_NAME_LENGTH = 512
_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]*")
_TAG_KEY_LENGTH = 128
_TAG_VALUE_LENGTH = 256
_REFUSED_WHEN_DELETED = frozenset(
    {
        "GetSecretValue",
        "PutSecretValue",
        "UpdateSecret",
        "UpdateSecretVersionStage",
        "TagResource",
        "UntagResource",
        "ReplicateSecretToRegions",
        "RemoveRegionsFromReplication",
    }
)


class Identities:
    """The users, access keys and roles of the vault file and the sandbox's administrator, kept in moto's IAM.

    `vault` returns the vault as it is now; whenever it returns another one, the identities are made anew.
    """

    def __init__(self, vault: Callable[[], Vault], administrator: AwsAccessKey) -> None:
        self._vault = vault
        self._administrator = administrator
        self._known: Vault | None = None
        self._roles: dict[str, AwsRole] = {}
        self._issuers: Mapping[str, str] = {}

    def permit(self, call: Call, environ: Mapping[str, Any], headers: Any) -> str:
        """Return the account of a caller that may do what it asks; raise an `AwsError` otherwise."""
        self._refresh()
        key_id = str(call.access_key_id)
        account = get_account_id_from(key_id)
        try:
            caller = create_access_key(account, _PARTITION, key_id, headers).arn
            request = IAMRequest(
                account_id=account,
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"],
                data={},
                body=call.body,
                headers=headers,
                action=call.operation,
            )
            request.check_signature()
            request.check_action_permitted("*")
        except (CreateAccessKeyFailure, moto_errors.InvalidClientTokenIdError) as error:
            raise UnknownAccessKeyError() from error
        except (moto_errors.SignatureDoesNotMatchError, KeyError) as error:
            # A KeyError is a header that every signed request has, like X-Amz-Date.
            raise WrongSignatureError() from error
        except (moto_errors.AccessDeniedError, NotFoundException) as error:
            # NotFoundException: a session of a role that the vault file no longer has.
            raise _denied(caller, call) from error
        if call.action.startswith("sts:AssumeRole") and not self._may_assume(call, caller, account):
            raise _denied(caller, call)
        return account

    def admit(self, call: Call) -> str:
        """Return the account of the role that the token of an AssumeRoleWithWebIdentity may assume; raise an `AwsError`
        otherwise.
        """
        self._refresh()
        role = self._roles.get(call.text("RoleArn") or "")
        if role is None or not role.federated:
            raise AccessDeniedError(f"Not authorized to perform {call.action}")
        try:
            subject_of(call.text("WebIdentityToken") or "", role.federated, self._issuers)
        except UntrustedTokenError as error:
            raise InvalidIdentityTokenError(f"The web identity token is not trusted: {error}") from None
        return _role_account_and_path(role.arn)[0]

    def _may_assume(self, call: Call, caller: str, account: str) -> bool:
        # Asked on top of the caller's own right to sts:AssumeRole, which AWS waives in one case: a trust policy that
        # names a user of the same account by ARN.
        role = self._roles.get(call.text("RoleArn") or "")
        if role is None or call.operation != "AssumeRole":
            return False
        principals = {"*", caller, account, f"arn:{_PARTITION}:iam::{account}:root", call.access_key_id}
        session = sts_backends[account][_PARTITION].get_assumed_role_from_access_key(str(call.access_key_id))
        if session:
            principals.add(session.role_arn)
        return not principals.isdisjoint(role.trusts) and role.external_id in (None, call.text("ExternalId"))

    def _refresh(self) -> None:
        try:
            vault = self._vault()
        except VaultFileError:
            if self._known is None:
                raise
            return  # half-written: those who were known stay known until the file can be read again
        if vault is self._known:
            return
        for accounts in iam_backends.values():
            backend = accounts[_PARTITION]
            backend.users.clear()
            backend.roles.clear()
            for key_id in [key.access_key_id for key in backend.access_keys.values() if key.user_name]:
                del backend.access_keys[key_id]
        default = vault.clouds.aws.account
        for key in [*access_keys(vault), self._administrator]:
            _add_access_key(iam_backends[key.account or default][_PARTITION], key)
        self._roles = {role.arn: role for role in vault.clouds.aws.roles}
        for role in self._roles.values():
            _add_role(role)
        self._issuers = vault.clouds.issuers
        self._known = vault


def access_keys(vault: Vault) -> list[AwsAccessKey]:
    """Return the access keys of a vault file, `user` filled in.

    The keys in PAM Configuration records may do everything, unless `clouds.aws.accessKeys` names them and says
    otherwise.
    """
    keys: dict[str, AwsAccessKey] = {}
    for record in vault.records:
        if key := _pam_access_key(record):
            keys[key.access_key_id] = key
    for number, key in enumerate(vault.clouds.aws.access_keys, start=1):
        named = keys.get(key.access_key_id)
        user = key.user or (named.user if named else f"user-{number}")
        keys[key.access_key_id] = key.model_copy(update={"user": user})
    return list(keys.values())


def _pam_access_key(record: VaultRecord) -> AwsAccessKey | None:
    if record.type != "pamAwsConfiguration":
        return None
    values = {
        re.sub(r"\s", "", field.label or field.type).lower(): str(field.value[0])
        for field in [*record.fields, *record.custom]
        if field.value
    }
    key_id, secret = values.get("accesskeyid"), values.get("accesssecretkey")
    if not key_id or not secret:
        return None
    return AwsAccessKey(access_key_id=key_id, secret_access_key=secret, user=f"pam-{record.uid}")


def _add_access_key(backend: IAMBackend, key: AwsAccessKey) -> None:
    name = key.user or key.access_key_id
    user = backend.users.get(name) or backend.create_user("us-east-1", name)
    created = user.create_access_key(prefix="AKIA")
    created.access_key_id, created.secret_access_key = key.access_key_id, key.secret_access_key
    backend.access_keys[key.access_key_id] = created
    if key.allows:
        backend.put_user_policy(name, key.access_key_id, _policy(key.allows))


def _add_role(role: AwsRole) -> None:
    account, path = _role_account_and_path(role.arn)
    prefix, _, name = path.rpartition("/")
    backend = iam_backends[account][_PARTITION]
    backend.create_role(
        role_name=name,
        # The gate decides whom a role trusts: moto's own evaluation lets calls between accounts pass.
        assume_role_policy_document=_TRUST_NOBODY,
        path=f"{prefix}/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
    if role.allows:
        backend.put_role_policy(name, "allows", _policy(role.allows))


def _role_account_and_path(arn: str) -> tuple[str, str]:
    _, _, _, _, account, resource = arn.split(":", 5)
    return account, resource.removeprefix("role")


def _policy(actions: list[str]) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _denied(caller: str, call: Call) -> AccessDeniedError:
    resource = call.text("RoleArn") or call.text("SecretId") or call.text("Name")
    target = f" on resource: {resource}" if resource else ""
    reason = f" because no identity-based policy allows the {call.action} action" if call.as_json else ""
    return AccessDeniedError(f"User: {caller} is not authorized to perform: {call.action}{target}{reason}")


class Secrets:
    """Secrets Manager's rules that moto leaves out, and what the secrets of all accounts are."""

    def check(self, call: Call, account: str) -> None:
        """Raise the exception of Secrets Manager's reference when AWS would refuse a call that moto lets pass."""
        if call.region not in secretsmanager_backends[account].regions:
            raise UnknownOperationError(f"The sandbox has no region {call.region}")
        _check_lengths(call)
        _check_replica_regions(call, account)
        existing = _find(call, account)
        if call.operation == "CreateSecret" and existing:
            _check_name_is_free(existing)
        if call.operation in _REFUSED_WHEN_DELETED and existing and existing.is_deleted():
            raise SecretsManagerError(
                "InvalidRequestException",
                "You can't perform this operation on the secret because it was marked for deletion.",
            )
        if call.operation == "ListSecretVersionIds" and not existing:
            raise SecretsManagerError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

    def arn(self, call: Call, account: str) -> str:
        """Return the ARN of the secret that a call is about, or an empty text."""
        secret = _find(call, account)
        return secret.arn if secret else ""

    def dump(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return every secret of every account, by region and name, its value included.

        A name that two accounts have in one region stands for the first one; the other stands under its ARN.
        """
        content: dict[str, dict[str, dict[str, Any]]] = {}
        for region, secret in sorted(_all_secrets(), key=lambda found: (found[0], found[1].name)):
            secrets = content.setdefault(region, {})
            secrets[secret.arn if secret.name in secrets else secret.name] = _describe(secret)
        return content


def _find(call: Call, account: str) -> FakeSecret | ReplicaSecret | None:
    name = call.text("Name" if call.operation == "CreateSecret" else "SecretId")
    return secrets_of(account, call.region).get(name) if name else None


def _check_name_is_free(existing: FakeSecret | ReplicaSecret) -> None:
    if existing.is_deleted():
        raise SecretsManagerError(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    if isinstance(existing, ReplicaSecret):
        raise SecretsManagerError(
            "ResourceExistsException",
            f"The operation failed because the secret {existing.name} already exists.",
        )


def _check_replica_regions(call: Call, account: str) -> None:
    for replica in call.parameters.get("AddReplicaRegions") or []:
        if replica.get("Region") not in secretsmanager_backends[account].regions:
            raise SecretsManagerError("InvalidParameterException", "Invalid replica region.")


def _check_lengths(call: Call) -> None:
    name = call.text("Name")
    if name is not None:
        _check_length("name", len(name), _NAME_LENGTH)
        if not _NAME.fullmatch(name):
            raise _invalid(
                "Invalid name. Must be a valid name containing alphanumeric characters, "
                "or any of the following: -/_+=.@!"
            )
    if (text := call.text("SecretString")) is not None:
        _check_length("secretString", len(text.encode("utf-8", "surrogatepass")), _VALUE_BYTES)
    if (binary := call.text("SecretBinary")) is not None:
        _check_length("secretBinary", len(base64.b64decode(binary)), _VALUE_BYTES)
    for number, tag in enumerate(call.parameters.get("Tags") or [], start=1):
        _check_length(f"tags.{number}.member.key", len(tag.get("Key", "")), _TAG_KEY_LENGTH)
        _check_length(f"tags.{number}.member.value", len(tag.get("Value", "")), _TAG_VALUE_LENGTH, at_least=0)


def _check_length(place: str, length: int, at_most: int, at_least: int = 1) -> None:
    constraint = f"greater than or equal to {at_least}" if length < at_least else f"less than or equal to {at_most}"
    if not at_least <= length <= at_most:
        raise _invalid(
            f"1 validation error detected: Value at '{place}' failed to satisfy constraint: "
            f"Member must have length {constraint}"
        )


def _invalid(message: str) -> SecretsManagerError:
    return SecretsManagerError("ValidationException", message)


def _all_secrets() -> Iterator[tuple[str, FakeSecret | ReplicaSecret]]:
    for account in secretsmanager_backends.values():
        for region, backend in account.items():
            for secret in backend.secrets.values():
                yield region, secret


def _describe(secret: FakeSecret | ReplicaSecret) -> dict[str, Any]:
    source = secret.source if isinstance(secret, ReplicaSecret) else secret
    version = source.versions.get(source.default_version_id or "", {})
    item: dict[str, Any] = {
        "arn": secret.arn,
        "account": source.account_id,
        "value": version.get("secret_string"),
        "versionId": source.default_version_id,
        "versionCount": len(source.versions),
        "tags": {tag["Key"]: tag["Value"] for tag in source.tags or []},
        "description": source.description,
        "replicas": {} if source is not secret else {replica.region: replica.status for replica in source.replicas},
        "primaryRegion": source.region,
        "deletedDate": datetime.fromtimestamp(source.deleted_date, UTC).isoformat() if source.deleted_date else None,
    }
    if "secret_binary" in version:
        item["binaryBase64"] = version["secret_binary"]
    return item
