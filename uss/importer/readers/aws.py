"""Reads AWS Secrets Manager, in the first region of a configuration.

Sources: AWS Secrets Manager's API reference (ListSecrets, GetSecretValue, DescribeSecret).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from uss.clouds.aws import AwsTarget
from uss.config import CloudType
from uss.errors import CloudError
from uss.importer.readers.filters import Filters
from uss.importer.readers.interface import Caller, translated
from uss.importer.readers.secrets import CloudSecret, Listed, Skipped

if TYPE_CHECKING:
    from types import TracebackType

    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import SecretListEntryTypeDef

_RETRIES: Any = {"mode": "standard", "total_max_attempts": 10}
_FILTER = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
"""What AWS takes as the beginning of a name; a `!` first would turn the filter round."""
_LIST, _READ = "secretsmanager:ListSecrets", "secretsmanager:GetSecretValue"
_DENIED = ("AccessDenied", "AccessDeniedException")
_UNACCEPTED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_NONE_FOUND = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
"""What AWS's SDK raises where the machine's own identity cannot be had."""
_NO_CREDENTIALS = "Enter access keys in the PAM Configuration, or run where AWS's SDK finds credentials of the machine."
_UNREADABLE = {
    "AccessDeniedException": f"may not be read: allow {_READ} on it, and kms:Decrypt on a KMS key of your own",
    "DecryptionFailure": "cannot be decrypted: AWS may not use its KMS key, or the key is disabled",
    "InvalidRequestException": "was marked for deletion meanwhile, or is in a state in which AWS gives no value",
    "ResourceNotFoundException": "has no current value, or is gone meanwhile",
}
"""What is wrong with one secret, by AWS's error code."""


class AwsReader:
    """See `Reader`."""

    def __init__(self, client: SecretsManagerClient, caller: Caller) -> None:
        self._client = client
        self._caller = caller
        self._region = client.meta.region_name

    def list(self, filters: Filters) -> Iterator[Listed]:
        """See `Reader.list`."""
        doing = f"list the secrets in {self._region}"
        pages = self._client.get_paginator("list_secrets").paginate(
            IncludePlannedDeletion=True, Filters=_pushed(filters)
        )
        for page in translated(pages, partial(_translation, self._caller, doing, _LIST)):
            found = (_listed(entry, self._region) for entry in page["SecretList"])
            yield from (listed for listed in found if filters.match(listed, CloudType.AWS))

    def read(self, listed: Listed) -> CloudSecret | Skipped:
        """See `Reader.read`."""
        try:
            with _translation(self._caller, "give a secret's value", _READ):
                answer = self._client.get_secret_value(SecretId=listed.source)
                text, version = answer.get("SecretString"), answer["VersionId"]
        except CloudError as error:
            if reason := _UNREADABLE.get(_code(error.__cause__)):
                return Skipped(listed, reason)
            raise
        if not text:
            return Skipped(listed, "is binary" if text is None else "is empty")
        return CloudSecret(listed, version, text, self._replicas(listed))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def _replicas(self, listed: Listed) -> tuple[str, ...] | None:
        if listed.replicas is not None:
            return listed.replicas
        try:
            with _translation(self._caller, "describe a secret", "secretsmanager:DescribeSecret"):
                answer = self._client.describe_secret(SecretId=listed.source)
        except CloudError as error:
            if _code(error.__cause__) in _UNREADABLE:
                return None  # the value is there, and does not depend on them
            raise
        return tuple(entry["Region"] for entry in answer.get("ReplicationStatus", ()))


def connect(target: AwsTarget, configuration: str) -> AwsReader:
    """Return the reader of a configuration; raise `CloudError` where the machine has no identity to begin with."""
    region, caller = target.regions[0], Caller(configuration, "AWS", target.identity)
    with _translation(caller, "let the import in", "credentials"):
        session = botocore.session.Session()
        if target.access_key_id and target.secret_access_key:
            session.set_credentials(target.access_key_id, target.secret_access_key)
        if session.get_credentials() is None:
            raise NoCredentialsError
        if target.role:
            session = _assumed(session, target.role, target.external_id, region, configuration)
        client = boto3.session.Session(botocore_session=session).client(
            "secretsmanager", region_name=region, config=Config(retries=_RETRIES)
        )
    return AwsReader(client, caller)


class _Role(CredentialProvider):
    """Gives a session the credentials of a role, which renew themselves: they last an hour, an import may take more."""

    METHOD = "assume-role"

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> DeferredRefreshableCredentials:
        return self._credentials


def _assumed(
    session: botocore.session.Session, role: str, external_id: str | None, region: str, configuration: str
) -> botocore.session.Session:
    # STS: a session name has 2 to 64 of these characters; AWS shows it in CloudTrail.
    arguments = {"RoleSessionName": f"keeper-uss-import-{configuration}"[:64]}
    if external_id:
        arguments["ExternalId"] = external_id
    fetcher = AssumeRoleCredentialFetcher(
        partial(session.create_client, region_name=region, config=Config(retries=_RETRIES)),
        session.get_credentials(),
        role,
        extra_args=arguments,
    )
    assumed = botocore.session.Session()
    credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, _Role.METHOD)
    assumed.register_component("credential_provider", CredentialResolver([_Role(credentials)]))
    return assumed


def _pushed(filters: Filters) -> Any:
    """The part of the filters that AWS itself applies: the beginning of a name, which saves a call per 100 secrets."""
    beginning = filters.name or filters.starts_with
    return [{"Key": "name", "Values": [beginning]}] if _FILTER.fullmatch(beginning) else []


def _listed(entry: SecretListEntryTypeDef, region: str) -> Listed:
    return Listed(
        name=entry["Name"],
        source=entry["ARN"],
        tags={tag["Key"]: tag["Value"] for tag in entry.get("Tags", ())},
        description=entry.get("Description", ""),
        replicas=None if entry.get("PrimaryRegion") else (),  # AWS names it of replicated secrets only
        problem=_problem(entry, region),
    )


def _problem(entry: SecretListEntryTypeDef, region: str) -> str | None:
    if deleted := entry.get("DeletedDate"):
        return f"is marked for deletion ({deleted.astimezone(UTC):%Y-%m-%d})"
    primary = entry.get("PrimaryRegion") or region
    if primary != region:
        return f"is a replica of the secret in {primary}: import it from there"
    if owner := entry.get("OwningService"):
        return f"is managed by the AWS service {owner}, which changes its value"
    if entry.get("RotationEnabled"):
        return "is rotated by a Lambda function, whose new values Keeper would not learn: turn its rotation off first"
    return None


@contextmanager
def _translation(caller: Caller, doing: str, permission: str) -> Iterator[None]:
    """Raise what goes wrong inside as `CloudError`. What quotes an answer or a parameter is not chained."""
    try:
        yield
    except ClientError as error:
        raise _refusal(error, caller, doing, permission) from error
    except _NONE_FOUND as error:
        raise caller.refused(_NO_CREDENTIALS, str(error)) from error
    except (ParamValidationError, ResponseParserError, KeyError, TypeError, ValueError) as error:
        raise caller.failed(doing, f"its answer cannot be read ({type(error).__name__})") from None
    except BotoCoreError as error:
        endpoint = error.kwargs.get("endpoint_url")
        fault = f"there was no answer{f' from {endpoint}' if endpoint else ''} ({type(error).__name__})"
        raise caller.failed(doing, fault, "Check the network, and start again.") from error


def _refusal(error: ClientError, caller: Caller, doing: str, permission: str) -> CloudError:
    code, told = _code(error), error.response.get("Error", {}).get("Message", "")
    if error.operation_name == "AssumeRole":
        mend = "Let the role's trust policy name who assumes it, and allow that one sts:AssumeRole on the role."
        return caller.refused(mend, told)
    if code in _UNACCEPTED:
        return caller.refused("Check its access keys, or the machine's credentials.", told)
    if code in _DENIED:
        return caller.denied(doing, permission, told)
    return caller.failed(doing, f"it says {code}")


def _code(error: BaseException | None) -> str:
    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
