"""`aws:secretsmanager/secret:Secret`: the container of a secret's versions, as the real provider keeps it.

Behaviour after terraform-provider-aws, `internal/service/secretsmanager/secret.go`, and the AWS API reference.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception, retry_if_result, stop_after_delay, wait_fixed

from uss.sandbox.providers.aws_errors import AwsError, aws_call, error_code
from uss.sandbox.providers.aws_session import AwsSession
from uss.sandbox.providers.interface import (
    Change,
    PartialFailureError,
    ProviderError,
    ReadResult,
    ResourceKind,
    Rule,
    change_kind,
)
from uss.sandbox.providers.values import UNKNOWN, Properties, contains_unknown

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef

PATIENCE_SECONDS = 3.0
"""How long is waited for AWS to catch up with itself; the real provider waits two minutes."""

_NAME = re.compile(r"[0-9A-Za-z/_+=.@-]{1,512}")
_WINDOWS = {0, *range(7, 31)}
# An import names a region other than the provider's behind the resource's own ID.
_IMPORT_ID = re.compile(r"(.+)@([a-z]{2}(?:-[a-z]+)+-\d{1,2})")
_REPLICA_STATUS = ("status", "statusMessage", "lastAccessedDate")


class Secret(ResourceKind[AwsSession]):
    """A secret without its values."""

    rules: ClassVar = {
        "name": Rule(replaces=True, autoname=True),
        "description": Rule(),
        "forceOverwriteReplicaSecret": Rule(default=False),
        "kmsKeyId": Rule(),
        "policy": Rule(computed=True),
        "recoveryWindowInDays": Rule(default=30),
        "region": Rule(replaces=True, computed=True),
        "replicas": Rule(computed=True),
        "tags": Rule(),
    }
    derived_secrets: ClassVar = {"tagsAll": "tags"}

    def faults(self, inputs: Properties) -> list[tuple[str, str]]:
        """Find names, policies and recovery windows that AWS does not take."""
        found = []
        if not _is_json(inputs.get("policy") or "{}"):
            found.append(("policy", "contains an invalid JSON"))
        name, window = inputs.get("name"), inputs["recoveryWindowInDays"]
        if isinstance(name, str) and not _NAME.fullmatch(name):
            found.append(("name", "must have 1 to 512 characters, alphanumeric ones and any of /_+=.@-"))
        if window != UNKNOWN and window not in _WINDOWS:
            found.append(("recoveryWindowInDays", "expected to be 0 or in the range (7 - 30)"))
        return found

    def same(self, key: str, old: Any, new: Any) -> bool:
        """Compare replicas as a set, a key only where the program names one; a policy as JSON."""
        if contains_unknown(new):
            return False
        if key == "replicas":
            removed, added = _replica_changes(old or [], new)
            return not removed and not added
        if key == "policy" and old and new:
            return bool(json.loads(old) == json.loads(new))
        return super().same(key, old, new)

    def derived_changes(self, config: AwsSession, olds: Properties, news: Properties) -> dict[str, Change]:
        """Compare all tags: those of the program over the provider's default ones."""
        old, new = olds.get("tagsAll") or {}, _all_tags(config, news)
        return {} if old == new else {"tagsAll": Change(change_kind(old, new))}

    def plan(self, config: AwsSession, olds: Properties, news: Properties) -> Properties:
        """Return what is known before the update."""
        settled = {key: news.get(key) for key in self.rules} | {"tagsAll": _all_tags(config, news)}
        if olds:
            replicas = olds.get("replicas") if news.get("replicas") is None else _planned_replicas(olds, news)
            kept = {key: olds.get(key) for key in ("arn", "id", "policy", "region")}
            return kept | {key: value for key, value in settled.items() if value is not None} | {"replicas": replicas}
        unknown = {"arn": UNKNOWN, "id": UNKNOWN, "policy": news.get("policy") or UNKNOWN}
        replicas = UNKNOWN if news.get("replicas") is None else _planned_replicas(olds, news)
        return settled | unknown | {"replicas": replicas, "region": news.get("region") or config.region}

    def create(self, config: AwsSession, inputs: Properties) -> tuple[str, Properties]:
        """Create the secret; a name that is still pending deletion is retried for `PATIENCE_SECONDS`."""
        name, region = inputs["name"], inputs.get("region") or config.region
        client = config.secretsmanager(region)
        request: dict[str, Any] = {
            "Name": name,
            "ClientRequestToken": str(uuid.uuid4()),  # one for all attempts
            "Description": inputs.get("description") or "",
            "ForceOverwriteReplicaSecret": inputs["forceOverwriteReplicaSecret"],
            "Tags": _tag_list(_all_tags(config, inputs)),
        }
        if inputs.get("kmsKeyId"):
            request["KmsKeyId"] = inputs["kmsKeyId"]
        if inputs.get("replicas"):
            request["AddReplicaRegions"] = _replica_list(inputs["replicas"])
        with aws_call(f"creating Secrets Manager Secret ({name})"):
            arn = _retry_pending_deletion()(client.create_secret, **request)["ARN"]
        try:
            _put_policy(client, arn, inputs.get("policy"))
            return arn, _outputs(config, client, arn, region, inputs)
        except ProviderError as error:
            known = {key: inputs.get(key) for key in self.rules} | {"arn": arn, "id": arn, "region": region}
            known["policy"] = None  # so that the next run puts it
            raise PartialFailureError(arn, known | {"tagsAll": _all_tags(config, inputs)}, str(error)) from error

    def read(self, config: AwsSession, resource_id: str, inputs: Properties, outputs: Properties) -> ReadResult | None:
        """Read the secret; one that is scheduled for deletion is gone."""
        arn, named_region = split_import_id(resource_id)
        region = outputs.get("region") or named_region or config.region
        try:
            found = _outputs(config, config.secretsmanager(region), arn, region, outputs)
        except SecretGoneError:
            return None
        return ReadResult(arn, found, live_inputs(self, config, found, inputs))

    def update(
        self, config: AwsSession, resource_id: str, olds: Properties, news: Properties, changed: Collection[str]
    ) -> Properties:
        """Change replicas, description, key, policy and tags, in the real provider's order."""
        region = olds.get("region") or config.region
        client = config.secretsmanager(region)
        if "replicas" in changed:
            removed, added = _replica_changes(olds.get("replicas") or [], news["replicas"])
            _remove_replicas(client, resource_id, removed)
            _add_replicas(client, resource_id, added, force=bool(news.get("forceOverwriteReplicaSecret")))
        if "description" in changed or "kmsKeyId" in changed:
            _update_secret(client, resource_id, news)
        if "policy" in changed:
            _put_policy(client, resource_id, news.get("policy"))
        if "tagsAll" in changed:
            _update_tags(client, resource_id, olds.get("tagsAll") or {}, _all_tags(config, news))
        return _outputs(config, client, resource_id, region, news)

    def delete(self, config: AwsSession, resource_id: str, outputs: Properties) -> None:
        """Remove replicas, then delete with the recovery window of the state: none there means without recovery."""
        client = config.secretsmanager(outputs.get("region"))
        _remove_replicas(client, resource_id, [replica["region"] for replica in outputs.get("replicas") or []])
        window = outputs.get("recoveryWindowInDays") or 0
        try:
            with aws_call(f"deleting Secrets Manager Secret ({resource_id})"):
                if window:
                    client.delete_secret(SecretId=resource_id, RecoveryWindowInDays=window)
                else:
                    client.delete_secret(SecretId=resource_id, ForceDeleteWithoutRecovery=True)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return
        wait_until(lambda: _is_gone(client, resource_id))


class SecretGoneError(ProviderError):
    """A secret is not there, or it is scheduled for deletion."""


def split_import_id(resource_id: str) -> tuple[str, str | None]:
    """Take an import's region off an ID; None where it names none."""
    named = _IMPORT_ID.fullmatch(resource_id)
    return (named[1], named[2]) if named else (resource_id, None)


def live_inputs(kind: ResourceKind[Any], config: AwsSession, outputs: Properties, inputs: Properties) -> Properties:
    """Return the inputs that describe what was read, the provider's own region left out where it was."""
    live = kind.live_inputs(outputs, inputs)
    if "region" not in inputs and outputs["region"] == config.region:
        live.pop("region", None)
    return live


def describe_secret(client: SecretsManagerClient, secret_id: str) -> DescribeSecretResponseTypeDef:
    """Return AWS's description of a secret; raise `SecretGoneError` if it is gone."""
    try:
        with aws_call(f"reading Secrets Manager Secret ({secret_id})"):
            described = client.describe_secret(SecretId=secret_id)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            raise SecretGoneError(str(error)) from None
        raise
    if described.get("DeletedDate"):
        raise SecretGoneError(f"reading Secrets Manager Secret ({secret_id}): couldn't find resource")
    return described


def read_policy(client: SecretsManagerClient, secret_id: str) -> str:
    """Return a secret's resource policy, or an empty string."""
    with aws_call(f"reading Secrets Manager Secret ({secret_id}) policy"):
        return client.get_resource_policy(SecretId=secret_id).get("ResourcePolicy") or ""


def wait_until(condition: Callable[[], bool]) -> None:
    """Ask until a condition holds, at most for `PATIENCE_SECONDS`."""
    Retrying(
        retry=retry_if_result(lambda holds: not holds),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_fixed(0.25),
        retry_error_callback=lambda _: None,
    )(condition)


def _is_json(text: str) -> bool:
    if text == UNKNOWN:
        return True
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _is_gone(client: SecretsManagerClient, secret_id: str) -> bool:
    try:
        describe_secret(client, secret_id)
    except SecretGoneError:
        return True
    return False


def _retry_pending_deletion() -> Retrying:
    return Retrying(
        retry=retry_if_exception(_is_pending_deletion),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_fixed(0.5),
        reraise=True,
    )


def _is_pending_deletion(error: BaseException) -> bool:
    if not isinstance(error, ClientError) or error_code(error) != "InvalidRequestException":
        return False
    reason = error.response.get("Error", {}).get("Message", "")
    return "scheduled for deletion" in reason or "was deleted" in reason


def _outputs(
    config: AwsSession, client: SecretsManagerClient, secret_id: str, region: str, settings: Properties
) -> Properties:
    """Read a secret. `settings`, inputs or outputs, tell what AWS does not know, and which tags were asked for."""
    described = describe_secret(client, secret_id)
    with aws_call(f"reading Secrets Manager Secret ({secret_id})"):
        arn, name = described["ARN"], described["Name"]
    tags_all = {tag["Key"]: tag["Value"] for tag in described.get("Tags") or [] if not tag["Key"].startswith("aws:")}
    defaults, own = config.config.default_tags.tags, settings.get("tags") or {}
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "description": described.get("Description") or "",
        "kmsKeyId": described.get("KmsKeyId") or "",
        "policy": read_policy(client, secret_id),
        "region": region,
        "replicas": [_replica(status) for status in described.get("ReplicationStatus") or []],
        "tags": {key: value for key, value in tags_all.items() if key in own or defaults.get(key) != value},
        "tagsAll": tags_all,
        "forceOverwriteReplicaSecret": settings.get("forceOverwriteReplicaSecret"),
        "recoveryWindowInDays": settings.get("recoveryWindowInDays"),
    }


def _replica(status: Any) -> Properties:
    accessed = status.get("LastAccessedDate")
    return {
        "region": status["Region"],
        "kmsKeyId": status.get("KmsKeyId") or "",
        "status": status.get("Status") or "",
        "statusMessage": status.get("StatusMessage") or "",
        "lastAccessedDate": accessed.isoformat() if accessed else "",
    }


def _replica_changes(old: list[Properties], new: list[Properties]) -> tuple[list[str], list[Properties]]:
    """Return the regions to remove and the replicas to add; a replica whose key changes is removed and added."""
    held = {replica["region"]: replica.get("kmsKeyId") or "" for replica in old}
    wanted = {replica["region"]: replica.get("kmsKeyId") or held.get(replica["region"], "") for replica in new}
    removed = [region for region, key in held.items() if wanted.get(region) != key]
    added = [replica for replica in new if held.get(replica["region"]) != wanted[replica["region"]]]
    return removed, added


def _planned_replicas(olds: Properties, news: Properties) -> Any:
    if contains_unknown(news["replicas"]):
        return UNKNOWN
    held = {replica["region"]: replica for replica in olds.get("replicas") or []}
    fresh = dict.fromkeys(_REPLICA_STATUS, UNKNOWN)
    return [held.get(replica["region"], fresh) | replica for replica in news["replicas"]]


def _replica_list(replicas: list[Properties]) -> Any:
    return [
        {"Region": replica["region"]} | ({"KmsKeyId": replica["kmsKeyId"]} if replica.get("kmsKeyId") else {})
        for replica in replicas
    ]


def _remove_replicas(client: SecretsManagerClient, secret_id: str, regions: list[str]) -> None:
    if not regions:
        return
    try:
        with aws_call(f"removing Secrets Manager Secret ({secret_id}) replicas"):
            client.remove_regions_from_replication(SecretId=secret_id, RemoveReplicaRegions=regions)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


def _add_replicas(client: SecretsManagerClient, secret_id: str, replicas: list[Properties], force: bool) -> None:
    if not replicas:
        return
    with aws_call(f"adding Secrets Manager Secret ({secret_id}) replicas"):
        client.replicate_secret_to_regions(
            SecretId=secret_id, AddReplicaRegions=_replica_list(replicas), ForceOverwriteReplicaSecret=force
        )


def _update_secret(client: SecretsManagerClient, secret_id: str, news: Properties) -> None:
    request: dict[str, Any] = {"SecretId": secret_id, "Description": news.get("description") or ""}
    if news.get("kmsKeyId"):
        request["KmsKeyId"] = news["kmsKeyId"]
    with aws_call(f"updating Secrets Manager Secret ({secret_id})"):
        client.update_secret(**request)


def _put_policy(client: SecretsManagerClient, secret_id: str, policy: str | None) -> None:
    """Put a policy; an empty one takes it away, and none at all leaves it as it is."""
    if policy is None:
        return
    if policy in ("", "{}"):
        with aws_call(f"deleting Secrets Manager Secret ({secret_id}) policy"):
            client.delete_resource_policy(SecretId=secret_id)
        return
    with aws_call(f"putting Secrets Manager Secret ({secret_id}) policy"):
        client.put_resource_policy(SecretId=secret_id, ResourcePolicy=policy)


def _update_tags(client: SecretsManagerClient, secret_id: str, old: dict[str, str], new: dict[str, str]) -> None:
    removed = [key for key in old if key not in new]
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    with aws_call(f"updating tags of Secrets Manager Secret ({secret_id})"):
        if removed:
            client.untag_resource(SecretId=secret_id, TagKeys=removed)
        if changed:
            client.tag_resource(SecretId=secret_id, Tags=_tag_list(changed))


def _all_tags(config: AwsSession, inputs: Properties) -> Any:
    tags = inputs.get("tags") or {}
    return UNKNOWN if contains_unknown(tags) else config.config.default_tags.tags | tags


def _tag_list(tags: dict[str, str]) -> Any:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
