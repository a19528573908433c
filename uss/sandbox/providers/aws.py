"""The package `aws`: what this project uses of it, which is Secrets Manager and the caller's identity.

Where it departs from the real provider on purpose: it speaks to local clouds only; it waits seconds, not minutes, for
AWS to catch up, and tries a call five times, not 25; a property or a setting that it does not know is an error, never
ignored, if it would change what is written or who writes; credentials of an assumed role are not renewed.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar

from uss.sandbox.providers import aws_functions
from uss.sandbox.providers.aws_config import parse_config
from uss.sandbox.providers.aws_secret import Secret
from uss.sandbox.providers.aws_secret_version import SecretVersion
from uss.sandbox.providers.aws_session import AwsSession, connect
from uss.sandbox.providers.interface import Package
from uss.sandbox.providers.values import Properties


class AwsPackage(Package[AwsSession]):
    """A stand-in for the plugin of the AWS provider."""

    name: ClassVar = "aws"
    kinds: ClassVar = {
        "aws:secretsmanager/secret:Secret": Secret(),
        "aws:secretsmanager/secretVersion:SecretVersion": SecretVersion(),
    }
    functions: ClassVar = {
        "aws:index/getCallerIdentity:getCallerIdentity": aws_functions.get_caller_identity,
        "aws:index/getRegion:getRegion": aws_functions.get_region,
        "aws:secretsmanager/getSecret:getSecret": aws_functions.get_secret,
        "aws:secretsmanager/getSecretVersion:getSecretVersion": aws_functions.get_secret_version,
        "aws:secretsmanager/getSecrets:getSecrets": aws_functions.get_secrets,
    }
    function_secrets: ClassVar = aws_functions.SECRET_RESULTS

    def version(self) -> str:
        """Return the version of the installed SDK, which is that of the plugin it asks for."""
        return version("pulumi-aws")

    def configure(self, inputs: Properties) -> AwsSession:
        """Take on the configured identity and prove it."""
        return connect(parse_config(inputs))

    def close(self, config: AwsSession) -> None:
        """Close the connections to AWS."""
        config.close()
