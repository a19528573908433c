"""Approvals: `USS_APPROVE=<configuration>=<digest>[,...]` applies exactly the plan that a preview showed.

A preview prints a digest of each configuration's plan. Given back on `pulumi up`, it lifts the hold of `dryRun: true`
and passes the guards for that plan alone. The digest is keyed with the Keeper application's key, which whoever previews
or applies the plan has: without it, it tells nothing of the values, and equal plans of two applications differ.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from uss.clouds.interface import HeldSecret
from uss.config import NAME_PATTERN
from uss.errors import ConfigurationError, GuardError
from uss.planning.plan import Change, ConfigurationPlan, Mode, Plan, PlannedSecret, RemovedConfiguration
from uss.text import shown

VARIABLE = "USS_APPROVE"
_LENGTH = 12
"""Hexadecimal digits: a digest is compared with one other, and nobody without the key can choose one."""
_ENTRY = re.compile(f"(?P<name>{NAME_PATTERN})=(?P<digest>[0-9a-f]{{{_LENGTH}}})", re.ASCII)


def approval(name: str, digest: str) -> str:
    """Return what approves a configuration's plan, as a person types it."""
    return f"{VARIABLE}={name}={digest}"


def parse_approvals(text: str) -> dict[str, str]:
    """Return digests by configuration from the variable's value; raise `ConfigurationError` for anything else."""
    approvals: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        match = _ENTRY.fullmatch(entry)
        if match is None or match["name"] in approvals:
            raise ConfigurationError(
                f"{VARIABLE}: found {shown(entry)}. Give each configuration once, with the digest that the preview "
                f"printed, as in {approval('production-aws', '0123456789ab')}."
            )
        approvals[match["name"]] = match["digest"]
    return approvals


def with_digests(plan: Plan, key: bytes) -> Plan:
    """Return the plan with a digest for each configuration in which something is to be done."""
    return replace(
        plan,
        configurations=tuple(replace(part, digest=_digest(_content(part), key)) for part in plan.configurations),
        removed=tuple(replace(removed, digest=_digest(_removed(removed), key)) for removed in plan.removed),
    )


def approve(plan: Plan, approvals: Mapping[str, str]) -> Plan:
    """Return the plan with what was approved; raise `GuardError` for an approval of anything but this plan."""
    digests = {part.name: part.digest for part in plan.configurations}
    digests |= {removed.name: removed.digest for removed in plan.removed}
    for name, given in approvals.items():
        if name not in digests:
            names = ", ".join(shown(known) for known in digests)
            raise GuardError(
                f"{VARIABLE} names the configuration {shown(name)}, which {plan.source} does not have. It has: "
                f"{names}. Nothing was changed."
            )
        if not hmac.compare_digest(given, digests[name]):
            found = f"is {digests[name]} now" if digests[name] else "has nothing to do now"
            raise GuardError(
                f"{VARIABLE} approves the plan {given} of the configuration {shown(name)}, which {found}: the vault, "
                "the stack file or the state has changed since, or the plan was made with another Keeper application. "
                "Nothing was changed. Run `pulumi preview`, look at it, and approve that."
            )
    return replace(
        plan,
        configurations=tuple(_approved(part) if part.name in approvals else part for part in plan.configurations),
        removed=tuple(replace(part, approved=part.name in approvals) for part in plan.removed),
    )


def _approved(part: ConfigurationPlan) -> ConfigurationPlan:
    return replace(part, approved=True, mode=Mode.SYNC if part.mode is Mode.HOLD else part.mode)


def _digest(content: Any, key: bytes) -> str:
    if content is None:
        return ""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True).encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:_LENGTH]


def _content(part: ConfigurationPlan) -> Any:
    """What an approval is for: where, and each change with the value that it brings. None: nothing is to be done."""
    changes = [_change(secret) for secret in part.secrets if secret.change is not Change.UNCHANGED]
    if part.cloud is None or part.target is None or not (changes or part.deletions or part.moves):
        return None
    return {
        "name": part.name,
        "cloud": part.cloud.type.value,
        "places": list(part.target.locations),
        "changes": changes,
        "moves": [[move.before, move.after] for move in part.moves],
        "deletions": [_deletion(secret) for secret in part.deletions],
        "losses": [[loss.record_uid, loss.name, loss.cause.value, *loss.regions] for loss in part.losses],
        # How a deletion ends, and what may be taken over: the same changes would do something else.
        "deletion": part.cloud.deletion(part.configuration),
        "onDelete": part.configuration.on_delete.value,
        "oldVersions": part.configuration.old_versions.value,
        "regionMode": part.configuration.region_mode.value,
        "adopt": sorted(part.configuration.adopt),
    }


def _change(secret: PlannedSecret) -> list[Any]:
    value = [secret.payload.content_type, secret.payload.value]
    return [
        secret.record_uid,
        secret.name,
        secret.change.value,
        secret.former_name,
        secret.replacement,
        dict(secret.tags),
        value,
    ]


def _deletion(secret: HeldSecret) -> list[str]:
    return [secret.record_uid, secret.name]


def _removed(removed: RemovedConfiguration) -> Any:
    return {
        "name": removed.name,
        "retained": removed.retained,
        "removed": [_deletion(secret) for secret in removed.deletions],
    }
