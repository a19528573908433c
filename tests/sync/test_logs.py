"""What docs/security.md says of each way to make Pulumi talk, with the stand-ins, and that the run warns of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.leaks import Form, leaks
from tests.sync.clouds import CLOUDS, vault_of_all
from tests.sync.harness import FOLDER, OTHER_FOLDER, SUBFOLDER, Project, Sandbox, login, plain_prefix, uid

VALUES = {"aws": "canary-of-aws-51fe", "azure": "canary-of-azure-93bc", "gcp": "canary-of-gcp-2d70"}
FOLDERS = dict(zip(VALUES, (FOLDER, SUBFOLDER, OTHER_FOLDER), strict=True))
KEYS = ("canary-of-the-", "PRIVATE KEY")
GCP_ALONE = {"gcp": Form.BASE64}
ALL_IN_CLEAR = dict.fromkeys(VALUES, Form.CLEAR)
GCPS_WARNING = "GCP's provider writes each new value in base64"
AZURES_WARNING = "Azure's provider writes values and client secrets in clear"


@dataclass(frozen=True)
class Way:
    """A way to make Pulumi talk. `{out}` in it stands for a folder."""

    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    shows: dict[str, Form] = field(default_factory=dict)
    """By cloud, in which form its value is in what was printed or written."""
    keys: bool = False
    """Whether the PAM Configurations' keys are there, too."""
    warnings: tuple[str, ...] = ()


WAYS = {
    "nothing": Way(),
    "debug": Way(("--debug",), shows=GCP_ALONE, warnings=(GCPS_WARNING,)),
    "TF_LOG": Way((), {"TF_LOG": "DEBUG"}),
    "-v=2": Way(("-v=2", "--logtostderr"), warnings=(AZURES_WARNING,)),
    "-v=3 to a file": Way(("-v=3",), shows=GCP_ALONE, warnings=(GCPS_WARNING,)),
    "-v=11": Way(
        ("-v=11", "--logtostderr", "--logflow"),
        shows=GCP_ALONE,
        warnings=(GCPS_WARNING, AZURES_WARNING, "an engine older than 3.254 writes all values in clear"),
    ),
    "gRPC": Way(
        (),
        {"PULUMI_DEBUG_GRPC": "{out}/grpc"},
        ALL_IN_CLEAR,
        keys=True,
        warnings=("PULUMI_DEBUG_GRPC: the engine writes all values in clear",),
    ),
    "tracing": Way(
        ("--tracing", "file:{out}/trace"),
        shows=ALL_IN_CLEAR,
        keys=True,
        warnings=("--tracing: the engine writes all values in clear",),
    ),
    "OpenTelemetry": Way(("--otel-traces", "file://{out}/otel")),
    "secrets shown": Way(
        ("--show-secrets", "--diff"),
        shows=ALL_IN_CLEAR,
        keys=True,
        warnings=("--show-secrets: the engine prints values that change in clear",),
    ),
    "JSON": Way(("--json",), shows=GCP_ALONE, warnings=(GCPS_WARNING,)),
    "events": Way(("--event-log", "{out}/events"), {"PULUMI_DEBUG_COMMANDS": "true"}, GCP_ALONE),
}


@pytest.fixture
def ready(project: Project, sandbox: Sandbox) -> Project:
    """A project in which each cloud has a folder and a value of its own."""
    project.prefix = plain_prefix(project.prefix)
    project.environment |= sandbox.cold  # a program's forebears tell how the run was started
    records = [login(uid(n), "Record", VALUES[name], FOLDERS[name]) for n, name in enumerate(VALUES)]
    sandbox.write_vault(vault_of_all(*records))
    project.configure(
        *(
            cloud.configuration() | {"name": cloud.name, "namePrefix": project.prefix, "folders": [FOLDERS[cloud.name]]}
            for cloud in CLOUDS
        )
    )
    return project


def written(folder: Path) -> bytes:
    """All that stands in the files of a folder."""
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


@pytest.mark.parametrize("name", WAYS)
def test_a_way_to_make_pulumi_talk_shows_what_the_page_says(ready: Project, tmp_path: Path, name: str) -> None:
    way, out = WAYS[name], tmp_path / "out"
    out.mkdir()
    environment = {key: value.format(out=out) for key, value in way.environment.items()}
    run = ready.up_well(*(text.format(out=out) for text in way.arguments), TMPDIR=str(out), **environment)
    found = leaks(run.output.encode() + written(out), *VALUES.values(), *KEYS)
    forms = {cloud: found[value] for cloud, value in VALUES.items() if value in found}
    assert {cloud: Form.CLEAR if Form.CLEAR in told else min(told) for cloud, told in forms.items()} == way.shows
    assert bool(found.keys() & set(KEYS)) is way.keys
    assert run.output.count("This run has ") >= len(way.warnings)
    assert [text for text in way.warnings if text not in run] == []
    assert way.warnings or "This run has " not in run


def test_a_preview_for_debugging_writes_no_value(ready: Project) -> None:
    run = ready.preview("--debug", "--diff")
    assert run.code == 0
    assert leaks(run.output, *VALUES.values(), *KEYS) == {}
    assert GCPS_WARNING in run
