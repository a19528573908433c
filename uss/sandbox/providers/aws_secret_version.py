"""`aws:secretsmanager/secretVersion:SecretVersion`: one value of a secret, as the real provider keeps it.

Behaviour after terraform-provider-aws, `internal/service/secretsmanager/secret_version.go`, and the AWS API reference.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from uss.sandbox.providers.aws_errors import AwsError, api_error, aws_call
from uss.sandbox.providers.aws_secret import live_inputs, split_import_id, wait_until
from uss.sandbox.providers.aws_session import AwsSession
from uss.sandbox.providers.interface import PartialFailureError, ProviderError, ReadResult, ResourceKind, Rule
from uss.sandbox.providers.values import UNKNOWN, Properties, contains_unknown

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_MAX_VALUE_BYTES = 65_536
_MIN_VERSION_ID_LENGTH = 32
_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
_GONE = ("because it was deleted", "marked for deletion", "marked deleted")


class SecretVersion(ResourceKind[AwsSession]):
    """One value of a secret. Nothing deletes a version in AWS: what can go are its staging labels."""

    rules: ClassVar = {
        "secretId": Rule(required=True, replaces=True),
        "secretString": Rule(replaces=True, secret=True),
        "secretBinary": Rule(replaces=True, secret=True),
        "versionStages": Rule(computed=True),
        "region": Rule(replaces=True, computed=True),
    }

    def faults(self, inputs: Properties) -> list[tuple[str, str]]:
        """Find values that are not text, two values at once, and a binary value that is not base64."""
        text, binary = inputs.get("secretString"), inputs.get("secretBinary")
        odd = [key for key in ("secretString", "secretBinary") if not isinstance(inputs.get(key), str | None)]
        if odd:
            return [(key, "must be a string") for key in odd]
        if text is not None and binary is not None:
            return [("secretBinary", "conflicts with secretString")]
        if binary and binary != UNKNOWN and _decoded(binary) is None:
            return [("secretBinary", "must be base64")]
        return []

    def same(self, key: str, old: Any, new: Any) -> bool:
        """Compare staging labels as a set."""
        if key == "versionStages" and not contains_unknown(new):
            return set(old or ()) == set(new or ())
        return super().same(key, old, new)

    def plan(self, config: AwsSession, olds: Properties, news: Properties) -> Properties:
        """Return what is known before the update."""
        if olds:
            return olds | {key: value for key, value in news.items() if key in self.rules}
        unknown = dict.fromkeys(("id", "arn", "secretArn", "versionId", "versionStages"), UNKNOWN)
        given = {key: news[key] for key in self.rules if news.get(key) is not None}
        return unknown | {"region": config.region} | given

    def create(self, config: AwsSession, inputs: Properties) -> tuple[str, Properties]:
        """Put a new version, which takes AWSCURRENT over unless the program names other staging labels."""
        secret_id, region = inputs["secretId"], inputs.get("region") or config.region
        client = config.secretsmanager(region)
        doing, text = f"putting Secrets Manager Secret ({secret_id}) value", inputs.get("secretString") or ""
        with aws_call(doing, hidden=text or inputs.get("secretBinary") or ""):
            version_id = client.put_secret_value(**_put_request(doing, inputs))["VersionId"]
        resource_id = f"{secret_id}|{version_id}"
        try:
            return resource_id, _outputs(client, secret_id, version_id, region)
        except ProviderError as error:
            known = {key: inputs.get(key) for key in self.rules}
            known |= {"id": resource_id, "versionId": version_id, "region": region}
            raise PartialFailureError(resource_id, known, str(error)) from None

    def read(self, config: AwsSession, resource_id: str, inputs: Properties, outputs: Properties) -> ReadResult | None:
        """Read the version with its value."""
        own_id, named_region = split_import_id(resource_id)
        secret_id, version_id = _parse_id(own_id)
        region = outputs.get("region") or named_region or config.region
        try:
            found = _outputs(config.secretsmanager(region), secret_id, version_id, region)
        except AwsError as error:
            if _is_gone(error):
                return None
            raise
        return ReadResult(own_id, found, live_inputs(self, config, found, inputs))

    def update(
        self, config: AwsSession, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Move staging labels: those of the program to this version, the others away from it."""
        secret_id, version_id = _parse_id(resource_id)
        region = olds.get("region") or config.region
        client = config.secretsmanager(region)
        if "versionStages" in changed:
            held, wanted = set(olds.get("versionStages") or ()), set(news["versionStages"])
            for stage in sorted(wanted - held):
                _add_stage(client, secret_id, version_id, stage)
            moved = _CURRENT in wanted - held  # AWS itself has moved AWSPREVIOUS then
            for stage in sorted(held - wanted - ({_PREVIOUS} if moved else set())):
                _remove_stage(client, secret_id, version_id, stage)
        return _outputs(client, secret_id, version_id, region)

    def delete(self, config: AwsSession, resource_id: str, outputs: Properties) -> None:
        """Take away the staging labels of the state; AWSCURRENT cannot be, and the value stays readable."""
        secret_id, version_id = _parse_id(resource_id)
        client = config.secretsmanager(outputs.get("region"))
        try:
            for stage in outputs.get("versionStages") or ():
                _remove_stage(client, secret_id, version_id, stage)
            wait_until(lambda: _has_no_own_stage(client, secret_id, version_id))
        except AwsError as error:
            if not _is_gone(error):
                raise


def _put_request(doing: str, inputs: Properties) -> Any:
    request: dict[str, Any] = {"SecretId": inputs["secretId"], "ClientRequestToken": str(uuid.uuid4())}
    text, binary = inputs.get("secretString"), _decoded(inputs.get("secretBinary") or "")
    # An empty value is left out, as the real provider does: AWS then says that there is none.
    if binary:
        request["SecretBinary"] = binary
        _check_size(doing, "secretBinary", binary)
    if text:
        request["SecretString"] = text
        _check_size(doing, "secretString", text.encode())
    if inputs.get("versionStages"):
        request["VersionStages"] = inputs["versionStages"]
    return request


def _check_size(doing: str, key: str, value: bytes) -> None:
    if len(value) <= _MAX_VALUE_BYTES:
        return
    reason = (
        f"1 validation error detected: Value at '{key}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {_MAX_VALUE_BYTES}"
    )
    code = "ValidationException"
    raise AwsError(doing, api_error("PutSecretValue", "StatusCode: 400, RequestID: ", code, reason), code, reason)


def _outputs(client: SecretsManagerClient, secret_id: str, version_id: str, region: str) -> Properties:
    resource_id = f"{secret_id}|{version_id}"
    with aws_call(f"reading Secrets Manager Secret Version ({resource_id})"):
        answer = client.get_secret_value(SecretId=secret_id, VersionId=version_id)
        return {
            "id": resource_id,
            "arn": answer["ARN"],
            "secretArn": answer["ARN"],
            "secretId": secret_id,
            "secretString": answer.get("SecretString") or "",
            "secretBinary": base64.b64encode(answer.get("SecretBinary") or b"").decode(),
            "versionId": answer["VersionId"],
            "versionStages": sorted(answer.get("VersionStages") or []),
            "region": region,
        }


def _add_stage(client: SecretsManagerClient, secret_id: str, version_id: str, stage: str) -> None:
    request: dict[str, Any] = {"SecretId": secret_id, "VersionStage": stage, "MoveToVersionId": version_id}
    with aws_call(f"adding Secrets Manager Secret Version ({secret_id}|{version_id}) stage ({stage})"):
        if stage == _CURRENT:
            stages = client.describe_secret(SecretId=secret_id).get("VersionIdsToStages") or {}
            request["RemoveFromVersionId"] = next(held for held, labels in stages.items() if _CURRENT in labels)
        client.update_secret_version_stage(**request)


def _remove_stage(client: SecretsManagerClient, secret_id: str, version_id: str, stage: str) -> None:
    if stage == _CURRENT:
        return
    with aws_call(f"deleting Secrets Manager Secret Version ({secret_id}|{version_id}) stage ({stage})"):
        client.update_secret_version_stage(SecretId=secret_id, VersionStage=stage, RemoveFromVersionId=version_id)


def _has_no_own_stage(client: SecretsManagerClient, secret_id: str, version_id: str) -> bool:
    with aws_call(f"deleting Secrets Manager Secret Version ({secret_id}|{version_id})"):
        stages = client.get_secret_value(SecretId=secret_id, VersionId=version_id).get("VersionStages") or []
    return not stages or stages in ([_CURRENT], [_PREVIOUS])


def _is_gone(error: AwsError) -> bool:
    if error.code == "InvalidRequestException":
        return any(words in error.reason for words in _GONE)
    return error.code == "ResourceNotFoundException"


def _parse_id(resource_id: str) -> tuple[str, str]:
    secret_id, _, version_id = resource_id.partition("|")
    if not secret_id or not version_id:
        raise ProviderError(f"unexpected format of ID ({resource_id}), expected SecretID|VersionID")
    if len(version_id) < _MIN_VERSION_ID_LENGTH:
        raise ProviderError(
            f"reading Secrets Manager Secret Version ({resource_id}): the version ID must have at least "
            f"{_MIN_VERSION_ID_LENGTH} characters: give the version's ID, not a staging label"
        )
    return secret_id, version_id


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
