"""A provider instance of AWS: its identity, proven, and its clients."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from uss.sandbox.providers.aws_config import AssumeRole, AwsConfig
from uss.sandbox.providers.aws_errors import AwsError, aws_call
from uss.sandbox.providers.interface import ProviderError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

_CONNECTIONS = 32  # as many as the server has workers
_ATTEMPTS = 5  # the real provider tries 25 times, which is minutes: too long for a cloud on this machine

# A session's first client of a service takes a tenth of a second, since it loads the service's description; all later
# ones take milliseconds. Making a client is not safe across threads, using one is.
_core = botocore.session.get_session()
_boto = boto3.session.Session(botocore_session=_core)
_boto_lock = threading.Lock()


class Keys(NamedTuple):
    """Credentials; without them, those of the environment hold."""

    access_key: str | None = None
    secret_key: str | None = None
    token: str | None = None


class Identity(NamedTuple):
    """Who AWS says that the provider is."""

    account: str
    arn: str
    user_id: str


@dataclass
class AwsSession:
    """A configured provider instance. Credentials of an assumed role are those of its start: they last an hour."""

    config: AwsConfig
    region: str
    keys: Keys = field(default=Keys(), repr=False)
    _clients: dict[str, SecretsManagerClient] = field(default_factory=dict, repr=False)

    def secretsmanager(self, region: str | None = None) -> SecretsManagerClient:
        """Return the client for a region, the provider's own if none is given; one client serves all threads."""
        region = region or self.region
        client = self._clients.get(region)
        if client is not None:
            return client
        with _boto_lock:
            if region not in self._clients:
                client = _boto.client("secretsmanager", region_name=region, **self._client_settings("secretsmanager"))
                _refuse_real_cloud(client.meta.endpoint_url)
                self._clients[region] = client
            return self._clients[region]

    def sts(self) -> STSClient:
        """Return a client for the session's present credentials."""
        with _boto_lock:
            region = self.config.sts_region or self.region
            client = _boto.client("sts", region_name=region, **self._client_settings("sts"))
        _refuse_real_cloud(client.meta.endpoint_url)
        return client

    def close(self) -> None:
        """Close the connections of all clients."""
        for client in self._clients.values():
            client.close()

    def identity(self) -> Identity:
        """Ask AWS who the caller is."""
        with aws_call("retrieving caller identity from STS"), closing(self.sts()) as sts:
            answer = sts.get_caller_identity()
            return Identity(answer["Account"], answer["Arn"], answer["UserId"])

    def region_description(self, region: str) -> str:
        """Return a region's name in AWS's own words; raise `ProviderError` for a region that does not exist."""
        for partition in _core.get_data("endpoints")["partitions"]:
            if region in partition["regions"]:
                return str(partition["regions"][region]["description"])
        raise ProviderError(f"invalid AWS Region: {region}")

    def _client_settings(self, service: str) -> dict[str, Any]:
        attempts = _ATTEMPTS if self.config.max_retries is None else self.config.max_retries + 1
        retries: Any = {"mode": "standard", "total_max_attempts": attempts}
        return {
            "endpoint_url": self.config.endpoint(service),
            "aws_access_key_id": self.keys.access_key,
            "aws_secret_access_key": self.keys.secret_key,
            "aws_session_token": self.keys.token,
            "config": Config(retries=retries, max_pool_connections=_CONNECTIONS),
        }


def connect(config: AwsConfig) -> AwsSession:
    """Take on the configured identity and prove it, in a preview too; raise `ProviderError` if AWS refuses it."""
    region = config.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise ProviderError(
            "missing region information: set the provider's region, `pulumi config set aws:region`, or AWS_REGION"
        )
    session = AwsSession(config, region, Keys(config.access_key, config.secret_key, config.token))
    for role in config.assume_roles:
        session = AwsSession(config, region, _assume(session, role))
    if config.skip_credentials_validation and not (config.allowed_account_ids or config.forbidden_account_ids):
        return session
    _admit(config, _proven(session))
    return session


def _assume(session: AwsSession, role: AssumeRole) -> Keys:
    request: dict[str, object] = {
        "RoleArn": role.role_arn,
        "RoleSessionName": role.session_name or "pulumi",
        "ExternalId": role.external_id,
        "DurationSeconds": role.duration_seconds(),
    }
    given = {key: value for key, value in request.items() if value is not None}
    try:
        with aws_call("assuming role"), closing(session.sts()) as sts:
            keys = sts.assume_role(**given)["Credentials"]  # type: ignore[arg-type]  # checked by AWS
            return Keys(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    except AwsError as error:
        raise _refused(
            f"Cannot assume IAM Role. IAM Role ({role.role_arn}) cannot be assumed by {_caller(session)}.\n\n"
            "There are a number of possible causes of this - the most common are:\n"
            "  * The credentials used in order to assume the role are invalid\n"
            "  * The credentials do not have appropriate permission to assume the role\n"
            "  * The role ARN is not valid\n",
            error,
        ) from None


def _caller(session: AwsSession) -> str:
    try:
        return session.identity().arn
    except AwsError:
        return "a caller whom AWS does not know"


def _proven(session: AwsSession) -> Identity:
    try:
        return session.identity()
    except AwsError as error:
        raise _refused("validating provider credentials: AWS does not accept them.", error) from None


def _refused(details: str, error: AwsError) -> ProviderError:
    return ProviderError(f"unable to validate AWS credentials.\nDetails: {details}\nError: {error.detail}")


def _admit(config: AwsConfig, identity: Identity) -> None:
    account = identity.account
    if account in config.forbidden_account_ids or (
        config.allowed_account_ids and account not in config.allowed_account_ids
    ):
        raise ProviderError(f"AWS account ID not allowed: {account}")


def _refuse_real_cloud(endpoint: str) -> None:
    host = urlsplit(endpoint).hostname or ""
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        raise ProviderError(
            f"the stand-in provider speaks to local clouds only, not to {host}: set AWS_ENDPOINT_URL or the provider's "
            "endpoints, or take PULUMI_DEBUG_PROVIDERS out of the environment to use the real provider"
        )
