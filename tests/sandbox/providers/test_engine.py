"""The real engine and the real SDK with the stand-in in the plugin's place."""

from __future__ import annotations

import pytest

from tests.leaks import leaks
from tests.sandbox.providers.harness import Cloud, Project, Refusal

TWO_PROVIDERS = """
import os
import pulumi
import pulumi_aws as aws

for name, account, region in (("one", "111111111111", "us-east-1"), ("two", "222222222222", "eu-west-1")):
    role = aws.ProviderAssumeRoleArgs(role_arn=f"arn:aws:iam::{account}:role/{name}", session_name="sync")
    tags = aws.ProviderDefaultTagsArgs(tags={"owner": name})
    provider = aws.Provider(name, region=region, assume_roles=[role], default_tags=tags)
    options = pulumi.ResourceOptions(provider=provider)
    for number in range(3):
        secret = aws.secretsmanager.Secret(f"{name}-{number}", name=f"same-{number}", opts=options)
        value = f"canary-{name}-{number}-{os.environ['VALUE']}"
        aws.secretsmanager.SecretVersion(
            f"{name}-{number}-value", secret_id=secret.id, secret_string=value, opts=options
        )
    identity = aws.get_caller_identity(opts=pulumi.InvokeOptions(provider=provider))
    pulumi.export(name, identity.account_id)
"""

LIFE = """
import os
import pulumi
import pulumi_aws as aws

secret = aws.secretsmanager
kept = pulumi.ResourceOptions(delete_before_replace=False)
renamed = secret.Secret("renamed", name=os.environ["NAME"], recovery_window_in_days=0, opts=kept)
version = secret.SecretVersion("renamed-value", secret_id=renamed.id, secret_string="value")
adopted = secret.Secret(
    "adopted", name="adopted", description="by program", opts=pulumi.ResourceOptions(import_=os.environ["ADOPT"])
)
taken = secret.SecretVersion("adopted-value", secret_id=adopted.id, secret_string="of the program")
unnamed = secret.Secret("unnamed")
last = pulumi.ResourceOptions(depends_on=[version, taken, unnamed])
secret.Secret("half", name="half", policy='{"Version":"2012-10-17"}', opts=last)
"""


def values(cloud: Cloud, account: str, region: str) -> dict[str, str]:
    """Return the values of all secrets in an account and region."""
    client = cloud.client(region, account)
    names = [secret["Name"] for secret in client.list_secrets()["SecretList"]]
    return {name: client.get_secret_value(SecretId=name)["SecretString"] for name in names}


def test_two_explicit_providers_are_kept_apart_over_restarts_of_the_engine(cloud: Cloud, project: Project) -> None:
    project.write(TWO_PROVIDERS)
    project.up(VALUE="1")
    assert values(cloud, "111111111111", "us-east-1") == {f"same-{n}": f"canary-one-{n}-1" for n in range(3)}
    assert values(cloud, "222222222222", "eu-west-1") == {f"same-{n}": f"canary-two-{n}-1" for n in range(3)}
    assert values(cloud, "222222222222", "us-east-1") == values(cloud, "111111111111", "eu-west-1") == {}

    cloud.calls.clear()
    unchanged = project.run("up", "--yes", VALUE="1")
    assert "15 unchanged" in unchanged
    assert set(cloud.calls) == {"AssumeRole", "GetCallerIdentity"}

    changed = project.up(VALUE="2")
    assert leaks(changed, "canary") == {}
    assert values(cloud, "111111111111", "us-east-1") == {f"same-{n}": f"canary-one-{n}-2" for n in range(3)}
    assert values(cloud, "222222222222", "eu-west-1") == {f"same-{n}": f"canary-two-{n}-2" for n in range(3)}
    state = project.run("stack", "export")
    assert leaks(state, "canary") == {}


def test_a_refused_role_fails_the_preview_with_the_reason(cloud: Cloud, project: Project) -> None:
    cloud.refusals["AssumeRole"] = Refusal("AccessDenied", "not authorized to perform: sts:AssumeRole", status=403)
    project.write(TWO_PROVIDERS)
    shown = project.run("preview", fails=True, VALUE="1")
    assert "Cannot assume IAM Role. IAM Role (arn:aws:iam::111111111111:role/one) cannot be assumed by" in shown
    assert "api error AccessDenied: not authorized to perform: sts:AssumeRole" in shown


def test_secrets_live_through_renames_adoption_failures_and_drift(cloud: Cloud, project: Project) -> None:
    cloud.refusals["PutResourcePolicy"] = Refusal("AccessDeniedException", "not authorized", times=1)
    client = cloud.client()
    arn = client.create_secret(Name="adopted", SecretString="by hand", Description="by hand")["ARN"]
    project.write(LIFE)
    failed = project.up(fails=True, NAME="old", ADOPT=arn)
    assert "putting Secrets Manager Secret (arn:" in failed
    assert "AccessDeniedException: not authorized" in failed
    half = project.state()["half"]
    assert half["id"] == client.describe_secret(SecretId="half")["ARN"]
    assert half["initErrors"]
    assert client.describe_secret(SecretId="adopted")["Description"] == "by program"
    assert client.get_secret_value(SecretId="adopted")["SecretString"] == "of the program"
    unnamed = project.state()["unnamed"]["inputs"]["name"]

    cloud.order.clear()
    project.up(NAME="new", ADOPT=arn)
    assert cloud.order.index("CreateSecret") < cloud.order.index("DeleteSecret")
    assert {secret["Name"] for secret in client.list_secrets()["SecretList"]} == {"new", "half", "adopted", unnamed}
    assert client.get_secret_value(SecretId="new")["SecretString"] == "value"
    assert client.get_resource_policy(SecretId="half")["ResourcePolicy"] == '{"Version":"2012-10-17"}'
    assert "initErrors" not in project.state()["half"]

    client.delete_secret(SecretId="half", ForceDeleteWithoutRecovery=True)
    client.tag_resource(SecretId="new", Tags=[{"Key": "by", "Value": "hand"}])
    project.run("refresh", "--yes", "--skip-preview", NAME="new", ADOPT=arn)
    refreshed = project.state()
    assert "half" not in refreshed
    assert refreshed["renamed"]["outputs"]["tagsAll"] == {"by": "hand"}
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_secret(SecretId="half")
