"""The pipelines without a key of any cloud: their jobs sign in with the platform's tokens, under the grants that
`uss permissions --oidc` prints, and with nothing else.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import leaks
from tests.pipelines.plugin import put_on_path
from tests.pipelines.runners import RUNNERS, STACK, Azure, Done, GitHub, GitLab, Runner
from tests.pipelines.standin import StandIn
from tests.pipelines.tokens import Issuer
from tests.sync.clouds import (
    AZURE_GROUP,
    AZURE_MANAGED,
    AZURE_PRINCIPAL,
    AZURE_SUBSCRIPTION,
    AZURE_TENANT,
    AZURE_VAULT,
    GCP_PROJECT,
    GCP_TARGET,
    AwsUnderTest,
    AzureUnderTest,
    GcpUnderTest,
)
from tests.sync.harness import ROLE, USS, Project, Sandbox, login, password, plain_prefix, uid, vault

KEYLESS: Mapping[str, dict[str, Any]] = {
    "aws": {"type": "aws", "syncIdentity": ROLE, "regions": ["us-east-1", "eu-west-1"]},
    "azure": {
        "type": "azure",
        "syncIdentity": AZURE_MANAGED,
        "subscriptionId": AZURE_SUBSCRIPTION,
        "tenantId": AZURE_TENANT,
        "resourceGroup": AZURE_GROUP,
        "vaultName": AZURE_VAULT,
    },
    "gcp": {"type": "gcp", "syncIdentity": GCP_TARGET, "project": GCP_PROJECT, "ambientCredentials": True},
}
"""What a stack file says of each cloud: no PAM Configuration, so no key."""
CLOUDS = (AwsUnderTest(), AzureUnderTest(), GcpUnderTest())
JOBS = {GitHub: "github:acme/secrets", GitLab: "gitlab:acme/secrets"}
"""Whose jobs `uss permissions` is told to trust; Azure Pipelines' issuer and subject are put in by hand."""
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID")
NUMBER = "123456789012"
STOPS = ("GOOGLE_APPLICATION_CREDENTIALS", "PULUMI_DEBUG_PROVIDERS", *KEYS)
"""What the sandbox tells its users to have, and these jobs do not."""


@dataclass
class Keyless:
    """A platform's jobs for one stack with a configuration for each cloud, and what was printed for them."""

    platform: Runner
    project: Project
    printed: Mapping[str, Any]

    def write_vault(self, *records: Any, **trusted: Any) -> None:
        """The records, and clouds that trust the jobs as printed; `trusted` takes the place of a cloud's trust."""
        content = vault(*records, roles=[])
        del content["records"][0]  # the PAM Configuration
        printed = {"aws": self._aws(), "azure": self.azure_trust(), "gcp": self._gcp()} | trusted
        role = {"arn": ROLE, "trusts": [ROLE], "allows": self._aws_actions(), "federated": printed["aws"]}
        managed = {"clientId": AZURE_MANAGED, "principalId": AZURE_PRINCIPAL, "tenant": AZURE_TENANT}
        managed |= self._azure_grants() | {"federated": printed["azure"]}
        there = {"name": AZURE_VAULT, "resourceGroup": AZURE_GROUP, "subscription": AZURE_SUBSCRIPTION}
        (member,) = self.options("gcp", "--member")[-1:]
        account = {"email": GCP_TARGET, "allows": self._gcp_permissions(), "impersonators": [self._numbered(member)]}
        content["clouds"] = {
            "aws": {"account": NUMBER, "roles": [role]},
            "azure": {
                "identities": [managed],
                "subscriptions": [{"id": AZURE_SUBSCRIPTION, "tenant": AZURE_TENANT}],
                "vaults": [there],
                "metadataService": False,
            },
            "gcp": {
                "projects": [GCP_PROJECT],
                "serviceAccounts": [account],
                "workloadIdentityProviders": [{"name": self.provider} | printed["gcp"][0]],
            },
            "issuers": {self.platform.issuer.url: self.platform.issuer.public_key},
        }
        self.project.sandbox.write_vault(content)

    def options(self, cloud: str, name: str) -> list[str]:
        """The values of an option of the printed commands."""
        commands = [step["command"] for step in self.printed[cloud]["steps"]]
        return [command[command.index(name) + 1] for command in commands if name in command]

    @property
    def provider(self) -> str:
        """The workload identity provider's name, once its commands were run."""
        return self._numbered(self.variables["GCP_WORKLOAD_IDENTITY_PROVIDER"])

    @property
    def variables(self) -> dict[str, str]:
        """The variables that are printed for the pipeline."""
        return {name: value for printed in self.printed.values() for name, value in printed["variables"].items()}

    def _numbered(self, text: str) -> str:
        return text.replace("PROJECT_NUMBER", NUMBER)

    def _aws_actions(self) -> list[str]:
        documents = (self.printed["aws"][key]["Statement"] for key in ("permissionPolicy", "callerPolicy"))
        actions = [statement["Action"] for statements in documents for statement in statements]
        return [action for entry in actions for action in ([entry] if isinstance(entry, str) else entry)]

    def _azure_grants(self) -> dict[str, Any]:
        (role,) = map(json.loads, self.options("azure", "--role-definition"))
        return {"allows": [*role["Actions"], *role["DataActions"]], "scopes": self.options("azure", "--scope")}

    def _gcp_permissions(self) -> list[str]:
        return ",".join(self.options("gcp", "--permissions")).split(",")

    def _aws(self) -> list[Any]:
        statement, _ = self.printed["aws"]["trustPolicy"]["Statement"]
        issuer = statement["Principal"]["Federated"].partition(":oidc-provider/")[2]
        condition = {key: value for part in statement["Condition"].values() for key, value in part.items()}
        return [trust(f"https://{issuer}", [condition[f"{issuer}:aud"]], condition[f"{issuer}:sub"])]

    def azure_trust(self) -> list[Any]:
        """The federated credentials that are printed."""
        (issuer,) = set(self.options("azure", "--issuer"))
        (audience,) = set(self.options("azure", "--audiences"))
        return [trust(issuer, [audience], self.options("azure", "--subject"))]

    def _gcp(self) -> list[Any]:
        (issuer,), (condition,) = (self.options("gcp", name) for name in ("--issuer-uri", "--attribute-condition"))
        subjects = condition.split("'")[1::2]
        if "startsWith" in condition:
            subjects = [f"{subject}*" for subject in subjects]
        return [{"issuer": issuer, "subjects": subjects}]


def trust(issuer: str, audiences: list[str], subjects: list[str]) -> dict[str, Any]:
    """A federated credential, as the vault file has it."""
    return {"issuer": issuer, "audiences": audiences, "subjects": subjects}


def printed(project: Project, name: str, jobs: str) -> Any:
    """What `uss permissions` prints."""
    command = [str(USS), "permissions", name, "--stack", STACK, "--oidc", jobs, "--json"]
    done = subprocess.run(
        command, cwd=project.folder, env=project.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def keyless(request: pytest.FixtureRequest, sandbox: Sandbox, stand_in: StandIn, tmp_path: Path) -> Keyless:
    """A checkout with a configuration for each cloud, on the test's platform; the clouds' plugins run in the jobs."""
    checkout, temporary, plugins = (tmp_path / name for name in ("checkout", "temporary", "plugins"))
    checkout.mkdir()
    temporary.mkdir()
    put_on_path(plugins)
    kind: type[Runner] = request.param
    prefix = plain_prefix(f"keyless-{kind.name}")
    project = Project(sandbox, checkout, prefix, STACK)
    entries = [{"name": name, "pamConfiguration": None} | entry for name, entry in KEYLESS.items()]
    project.configure(*entries)
    environment = {name: value for name, value in project.environment.items() if name not in STOPS}
    environment["PATH"] = f"{plugins}:{environment['PATH']}"
    given = {name: environment.pop(name) for name in ("KSM_CONFIG", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE")}
    ready = kind(checkout, environment, given | stand_in.variables(kind.name), temporary, Issuer(kind.issuer_url))
    ready.check_out()
    found = Keyless(ready, project, {name: printed(project, name, JOBS.get(kind, JOBS[GitHub])) for name in KEYLESS})
    ready.variables = {**ready.variables, **found.variables, "GCP_WORKLOAD_IDENTITY_PROVIDER": found.provider}
    if isinstance(ready, GitHub):
        stand_in.token = lambda audience: ready.issuer.token(audience, ready.subject(ready.job))
    return found


def by_hand(keyless: Keyless) -> dict[str, Any]:
    """What the docs tell to put in beside what is printed."""
    issuer = keyless.platform.issuer.url
    if isinstance(keyless.platform, GitLab):
        # Entra ID knows no patterns: one more for the branch of the merge request.
        branch = "project_path:acme/secrets:ref_type:branch:ref:topic"
        return {"azure": [*keyless.azure_trust(), trust(issuer, ["api://AzureADTokenExchange"], [branch])]}
    if isinstance(keyless.platform, Azure):
        own = trust(issuer, ["api://AzureADTokenExchange"], ["sc://acme/secrets/secrets-production"])
        return dict.fromkeys(("aws", "azure", "gcp"), [own])
    return {}


def quiet(keyless: Keyless, done: Done) -> Done:
    """A job that had tokens, printed none, and left none where others can read it."""
    assert keyless.platform.issuer.issued
    assert leaks(done.output + done.summary, *keyless.platform.issuer.issued) == {}
    keyless.platform.assert_tokens_are_private()
    return done


@pytest.mark.parametrize("keyless", RUNNERS, ids=lambda kind: kind.name, indirect=True)
def test_a_pipeline_syncs_to_every_cloud_without_a_key(keyless: Keyless, sandbox: Sandbox) -> None:
    keyless.write_vault(login(uid(1), "First", "p1"), **by_hand(keyless))
    planned = quiet(keyless, keyless.platform.plan())
    assert planned.code == 0, planned.output
    synced = quiet(keyless, keyless.platform.sync(scheduled=False))
    assert synced.code == 0, synced.output
    for cloud in CLOUDS:
        assert cloud.values(keyless.project) == {"First": password("p1")}
    calls = sandbox.control.calls()
    assert calls["aws"]["sts:AssumeRoleWithWebIdentity"] > 0
    assert calls["gcp"]["sts.Token"] > 0
    assert calls["gcp"]["oauth2.Token"] == 1  # the test's own reading
    assert "imds.token" not in calls["azure"]


@pytest.mark.parametrize("keyless", [GitHub], ids=lambda kind: kind.name, indirect=True)
@pytest.mark.parametrize(
    ("cloud", "told"),
    [("aws", "InvalidIdentityToken"), ("azure", "AADSTS700213"), ("gcp", "invalid_grant")],
)
def test_the_jobs_of_another_project_are_refused(keyless: Keyless, cloud: str, told: str) -> None:
    others = trust(keyless.platform.issuer.url, ["sts.amazonaws.com"], ["repo:acme/other:ref:refs/heads/main"])
    entry = {"issuer": others["issuer"], "subjects": others["subjects"]} if cloud == "gcp" else others
    keyless.write_vault(login(uid(1), "First", "p1"), **(by_hand(keyless) | {cloud: [entry]}))
    done = quiet(keyless, keyless.platform.sync(scheduled=False))
    assert done.code != 0
    assert told in done.output
    assert "Traceback" not in done.output
