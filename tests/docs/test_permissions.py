"""The pages show what `uss permissions` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import SOURCE, configuration
from uss.clouds.aws import Aws, AwsTarget
from uss.clouds.azure import Azure, AzureTarget
from uss.clouds.gcp import Gcp, GcpTarget
from uss.config import CloudType
from uss.keeper import PamConfiguration
from uss.permissions import aws, azure, gcp
from uss.permissions.interface import Permissions

DOCS = Path(__file__).parents[2] / "docs"


def of_aws() -> Permissions:
    """For two regions and a prefix; the page shows the first and the third document."""
    entry = configuration(name="production-aws", regions=["us-east-1", "eu-west-1"], name_prefix="team/")
    target = Aws().target(entry, None, SOURCE)
    assert isinstance(target, AwsTarget)
    found = aws.permissions(target, entry, SOURCE, "production", "arn:aws:iam::123456789012:user/keeper-pam")
    return Permissions([found.documents[0], found.documents[2]])


def of_azure() -> Permissions:
    """For a key vault that is there."""
    keys: dict[str, Any] = {
        "sync_identity": "44444444-4444-4444-4444-444444444444",
        "subscription_id": "22222222-2222-2222-2222-222222222222",
        "tenant_id": "11111111-1111-1111-1111-111111111111",
        "resource_group": "rg-secrets",
        "vault_name": "kv-prod",
    }
    entry = configuration(name="production-azure", type="azure", regions=[], **keys)
    target = Azure().target(entry, None, SOURCE)
    assert isinstance(target, AzureTarget)
    return azure.permissions(target, entry, SOURCE, "production")


def of_gcp() -> Permissions:
    """For a prefix."""
    email = "keeper-{}@my-project.iam.gserviceaccount.com"
    key = {"type": "service_account", "project_id": "my-project", "private_key": "x", "token_uri": "u"}
    entries = {"pamserviceaccountkey": json.dumps(key | {"client_email": email.format("pam")})}
    entry = configuration(
        name="production-gcp", type="gcp", regions=[], sync_identity=email.format("uss"), name_prefix="team-"
    )
    target = Gcp().target(entry, PamConfiguration("U", "GCP", CloudType.GCP, entries), SOURCE)
    assert isinstance(target, GcpTarget)
    return gcp.permissions(target, entry, SOURCE, "production")


@pytest.mark.parametrize(("page", "printed"), [("aws", of_aws), ("azure", of_azure), ("gcp", of_gcp)])
def test_the_page_shows_what_is_printed(page: str, printed: Any) -> None:
    text = "\n".join(printed().lines()).rstrip()
    assert f"```text\n{text}\n```\n" in (DOCS / f"{page}.md").read_text(encoding="utf-8")
