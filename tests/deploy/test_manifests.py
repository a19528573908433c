"""The systemd unit, the Kubernetes manifests and the alerts fit each other, and what the watch offers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sync.harness import ROOT
from uss.watch.cli import watch_command
from uss.watch.telemetry import Telemetry

DEPLOY = ROOT / "deploy"
MANIFESTS = [*sorted((DEPLOY / "kubernetes").glob("*.yaml")), DEPLOY / "pulumi-kubernetes-operator" / "rbac.yaml"]
SERVED = [path for path in MANIFESTS if path.name != "kustomization.yaml"]
STACK = "production"


def options(arguments: list[str]) -> dict[str, Any]:
    """What the watch understands of a command's arguments; what it does not know raises."""
    assert arguments[:2] == ["uss", "watch"]
    return watch_command.make_context("watch", arguments[2:]).params


def container(path: Path) -> Any:
    """The manifest's pod's container."""
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]
    pod = (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]["spec"]
    (found,) = pod["containers"]
    return {**found, "pod": pod}


def unit() -> dict[str, list[str]]:
    """The unit's settings: a name may stand several times."""
    settings: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / "uss-watch@.service").read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            settings.setdefault(name, []).append(value)
    return settings


@pytest.mark.parametrize("path", SERVED, ids=lambda path: path.name)
def test_manifests_are_what_kubernetes_takes(path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("kubernetes-validate"), "--strict", path], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_kustomization_names_files_that_are_there() -> None:
    content = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text(encoding="utf-8"))
    assert {"deployment.yaml", "serviceaccount.yaml"} == set(content["resources"])
    assert [entry["name"] for entry in content["images"]] == [
        container(DEPLOY / "kubernetes" / "deployment.yaml")["image"]
    ]


def test_the_deployment_runs_the_image_as_the_watch_understands_it() -> None:
    found = container(DEPLOY / "kubernetes" / "deployment.yaml")
    (entry,) = re.findall(r"^ENTRYPOINT (\[.*\])$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    arguments = [text.replace("$(STACK)", STACK) for text in [*yaml.safe_load(entry), *found["args"]]]
    told = options(arguments)
    assert (told["stack"], told["interval"], told["listen"]) == (STACK, 60, ("0.0.0.0", 9464))  # noqa: S104 - the image's
    assert found["livenessProbe"]["httpGet"]["path"] == found["startupProbe"]["httpGet"]["path"] == "/healthz"
    assert found["ports"] == [{"name": "metrics", "containerPort": told["listen"][1]}]


def test_the_cron_job_looks_once() -> None:
    found = container(DEPLOY / "kubernetes" / "cronjob.yaml")
    assert options([text.replace("$(STACK)", STACK) for text in [*found["command"], *found["args"]]])["once"]


@pytest.mark.parametrize("name", ["deployment", "cronjob"])
def test_pods_write_only_where_they_have_a_volume(name: str) -> None:
    found = container(DEPLOY / "kubernetes" / f"{name}.yaml")
    assert found["securityContext"]["readOnlyRootFilesystem"]
    assert found["pod"]["securityContext"]["runAsNonRoot"]
    mounted = {mount["mountPath"] for mount in found["volumeMounts"]}
    assert mounted == {"/var/lib/uss", "/opt/pulumi/home/logs", "/tmp"}  # noqa: S108 - a folder of the container
    assert {mount["name"] for mount in found["volumeMounts"]} == {volume["name"] for volume in found["pod"]["volumes"]}


def test_the_unit_runs_the_watch_and_stops_it_with_one_signal() -> None:
    settings = unit()
    (command,) = settings["ExecStart"]
    told = options(["uss", *command.replace("%i", STACK).split()[1:]])
    assert (told["stack"], told["listen"]) == (STACK, ("127.0.0.1", 9464))
    assert settings["KillMode"] == ["mixed"]
    assert settings["StateDirectory"] == ["uss"]
    credentials = {value.partition(":")[0] for value in settings["LoadCredential"]}
    used = set(re.findall(r"%d/([\w-]+)", " ".join(settings["Environment"])))
    assert credentials == used == {"ksm-config", "passphrase"}


def test_alerts_are_about_metrics_that_the_watch_has() -> None:
    exported = {metric.name for metric in Telemetry("test", 60).registry.collect()}
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    used = {name for rule in rules for name in re.findall(r"uss_watch_\w+", rule["expr"])}
    assert used
    assert used <= exported


def test_the_operators_stack_uses_the_same_secret_and_leaves_the_secrets_when_it_goes() -> None:
    spec = yaml.safe_load((DEPLOY / "pulumi-kubernetes-operator" / "stack.yaml").read_text(encoding="utf-8"))["spec"]
    assert spec["continueResyncOnCommitMatch"]
    assert not spec["destroyOnFinalize"]
    secret = container(DEPLOY / "kubernetes" / "deployment.yaml")["envFrom"][0]["secretRef"]["name"]
    assert {entry["secret"]["name"] for entry in spec["envRefs"].values()} == {secret}
    assert {name: entry["secret"]["key"] for name, entry in spec["envRefs"].items()} == {
        name: name for name in spec["envRefs"]
    }
