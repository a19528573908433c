"""What GCP holds already: the project's secrets under the names that a plan gives, and values that it would add.

One list for all names, since a project allows 600 reads a minute (GCP, Secret Manager quotas). A value is looked at
where the secret is this stack's: a run that was cut off after it had added a version left one that the state does not
know, and a second one would leave the first readable when the next value comes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from uss.clouds.gcp import SECRET, VERSION, GcpTarget
from uss.clouds.interface import Findings, FoundSecret, Ownership
from uss.clouds.looking import Questions
from uss.errors import CloudDeniedError
from uss.findings import Claim, claim
from uss.plan import NEW_NAMES, Change, PlannedSecret

if TYPE_CHECKING:
    import pulumi

    from uss.plan import ConfigurationPlan

ABSENT = re.compile(r"Error 404|NOT_FOUND|not found|FAILED_PRECONDITION|Error 400")
"""Matches what the provider says when there is no such thing."""
DENIED = re.compile(r"secretmanager\.[a-z]+\.[a-z]+")
"""Matches what it says when the identity may not ask."""
_NEW_VALUE = (Change.VALUE, Change.TAKE_OVER)


async def look(plan: ConfigurationPlan, ownership: Ownership, provider: pulumi.ProviderResource) -> Findings:
    """See `Cloud.look`."""
    target = cast(GcpTarget, plan.target)
    questions = Questions(plan.name, provider, ABSENT, DENIED)
    wanted = [secret for secret in plan.secrets if secret.change in (*NEW_NAMES, *_NEW_VALUE)]
    new = tuple(secret.name for secret in wanted if secret.change in NEW_NAMES)
    try:
        present = await _present(questions, target, plan.configuration.name_prefix) if new else {}
    except CloudDeniedError:
        return Findings(denied=new)

    async def find(secret: PlannedSecret) -> FoundSecret | None:
        if secret.change in _NEW_VALUE:
            version = await _version(questions, target, secret)
            return FoundSecret(tags=(), imports=version) if version else None
        entry = present.get(secret.name)
        if entry is None:
            return None
        tags = {**(entry.get("labels") or {}), **(entry.get("annotations") or {})}
        imports = {(SECRET, ""): f"projects/{target.project}/secrets/{secret.name}"}
        if claim(plan, secret, tags, ownership) is Claim.FOREIGN:
            return FoundSecret(tags=(tags,), imports=imports)
        version = await _version(questions, target, secret)
        return FoundSecret(tags=(tags,), imports=imports | version, same_value=bool(version))

    return await questions.each(wanted, find)


async def _present(questions: Questions, target: GcpTarget, prefix: str) -> Mapping[str, Mapping[str, Any]]:
    """The project's secrets by name; with a prefix, those whose names hold it."""
    arguments = {"project": target.project} | ({"filter": f"name:{prefix}"} if prefix else {})
    answer = await questions.ask("gcp:secretmanager/getSecrets:getSecrets", arguments) or {}
    return {str(entry["secretId"]): entry for entry in answer.get("secrets") or []}


async def _version(questions: Questions, target: GcpTarget, secret: PlannedSecret) -> dict[tuple[str, str], str]:
    """The latest version's ID, where it has the value that the plan gives and the state does not know it."""
    answer = await questions.ask(
        "gcp:secretmanager/getSecretVersion:getSecretVersion", {"project": target.project, "secret": secret.name}
    )
    # Numbers of versions mean something below one name only.
    known = {entry.outputs.get("version") for entry in secret.present} if secret.change in _NEW_VALUE else set()
    if not answer or answer.get("secretData") != secret.payload.value or answer.get("version") in known:
        return {}
    name = f"projects/{target.project}/secrets/{secret.name}/versions/{answer['version']}"
    return {(VERSION, ""): name}
