"""What Azure holds already: the key vault, and in it the secrets under the names that a plan gives.

Through Azure Resource Manager, whose right to read a secret the provider needs anyway; it never returns a value, so a
secret that is recovered is written once more. A secret that is deleted and can be recovered is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from uss.clouds.azure import SECRET, AzureTarget, made_here
from uss.clouds.interface import Findings, FoundSecret, KeyVault
from uss.clouds.looking import Questions
from uss.plan import NEW_NAMES, PlannedSecret
from uss.state import StateResource

if TYPE_CHECKING:
    import pulumi

    from uss.plan import ConfigurationPlan

ABSENT = re.compile(r"(Resource|ResourceGroup|Secret)NotFound|Status=404|RESPONSE 404")
"""Matches what the provider says when there is no such thing."""
DENIED = re.compile(r"AuthorizationFailed|Status=403|RESPONSE 403")
"""Matches what it says when the identity may not ask."""


async def look(
    plan: ConfigurationPlan, provider: pulumi.ProviderResource, resources: Iterable[StateResource]
) -> Findings:
    """See `Cloud.look`."""
    target = cast(AzureTarget, plan.target)
    questions = Questions(plan.name, provider, ABSENT, DENIED)
    vault = {"resourceGroupName": target.resource_group, "vaultName": target.vault}
    ours = any(made_here(entry, target.vault) for entry in resources)
    if not ours and await questions.ask("azure-native:keyvault:getVault", vault) is None:
        return Findings(key_vault=KeyVault.MISSING)

    async def find(secret: PlannedSecret) -> FoundSecret | None:
        answer = await questions.ask("azure-native:keyvault:getSecret", vault | {"secretName": secret.name})
        if answer is None:
            return None
        return FoundSecret(tags=(answer.get("tags") or {},), imports={(SECRET, ""): str(answer["id"])})

    findings = await questions.each([secret for secret in plan.secrets if secret.change in NEW_NAMES], find)
    return replace(findings, key_vault=KeyVault.OURS if ours else KeyVault.GIVEN)
