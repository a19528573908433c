"""The environment as a shell gets it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from uss.sandbox.exports import as_shell, aws_exports, azure_exports, gcp_exports, keeper_exports, pulumi_exports
from uss.sandbox.layout import Layout
from uss.sandbox.vaultclouds import AwsAccessKey, AzureIdentity

KEY = AwsAccessKey(access_key_id="AKIA", secret_access_key="secret")


def test_a_shell_exports_every_value_as_it_is() -> None:
    value = 'it\'s $HOME `date` "x" \\ * é'
    script = as_shell({"A_VALUE": value}) + 'printf %s "$A_VALUE"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == value


def test_variables_that_would_lead_away_are_neutral_and_others_are_not_touched(tmp_path: Path) -> None:
    calm = aws_exports("http://127.0.0.1:1", KEY, Layout(tmp_path), {"PATH": "/bin"})
    assert not {"AWS_SESSION_TOKEN", "AWS_PROFILE", "no_proxy"} & calm.keys()
    exports = aws_exports(
        "http://127.0.0.1:1", KEY, Layout(tmp_path), {"AWS_PROFILE": "me", "AWS_ENDPOINT_URL_STS": "https://elsewhere"}
    )
    assert exports == calm | {"AWS_PROFILE": "default", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"}


def test_the_bundle_holds_the_public_authorities_and_the_vaults_own(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("the vault's authority")
    exports = keeper_exports({"hostname": "localhost:1"}, [tmp_path / "ca.pem"], Layout(tmp_path))
    bundle = Path(exports["REQUESTS_CA_BUNDLE"]).read_text(encoding="utf-8")
    assert bundle.count("BEGIN CERTIFICATE") > 50
    assert bundle.endswith("the vault's authority")


def test_every_plugin_is_attached(tmp_path: Path) -> None:
    exports = pulumi_exports({"gcp": 2, "aws": 1}, Layout(tmp_path), {"PATH": "/bin"})
    assert exports["PULUMI_DEBUG_PROVIDERS"] == "aws:1,gcp:2"
    assert exports["PATH"].endswith(":/bin")


def test_the_first_subscription_is_exported_where_there_is_one() -> None:
    administrator = AzureIdentity(client_id="c", tenant="t")
    told = azure_exports("https://localhost:1", "http://localhost:2", administrator, {}, "s")
    assert told["AZURE_SUBSCRIPTION_ID"] == "s"
    assert "AZURE_SUBSCRIPTION_ID" not in azure_exports("https://localhost:1", "http://localhost:2", administrator, {})


def test_what_would_lead_to_another_azure_or_gcp_is_emptied(tmp_path: Path) -> None:
    azure = azure_exports(
        "https://localhost:1",
        "http://localhost:2",
        AzureIdentity(client_id="c", tenant="t"),
        {"ARM_USE_MSI": "true", "IDENTITY_ENDPOINT": "http://elsewhere", "AZURE_SUBSCRIPTION_ID": "real"},
    )
    assert azure["ARM_METADATA_HOSTNAME"] == "localhost:1"
    assert azure["ARM_USE_MSI"] == azure["IDENTITY_ENDPOINT"] == azure["AZURE_SUBSCRIPTION_ID"] == ""
    assert "ARM_CLIENT_ID" not in azure
    gcp = gcp_exports("http://localhost:3", {"type": "service_account"}, Layout(tmp_path), {"GOOGLE_PROJECT": "mine"})
    assert gcp["GOOGLE_PROJECT"] == ""
    assert gcp["USS_SANDBOX_GCP_URL"] == "http://localhost:3"
    assert gcp["GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT"] == "http://localhost:3/v1/"
    assert "GOOGLE_CREDENTIALS" not in gcp
    assert Path(gcp["GOOGLE_APPLICATION_CREDENTIALS"]).read_text(encoding="utf-8") == '{"type": "service_account"}'
