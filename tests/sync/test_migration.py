"""From secrets that a cloud holds already to secrets that are synced from Keeper, with nothing of them changed:
`uss import`, `uss adopt`, `pulumi up`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pytest
import yaml

from tests.leaks import Form, leaking_files, leaks
from tests.sync.clouds import CLOUDS, DESCRIPTION, CloudUnderTest, configure
from tests.sync.harness import FOLDER, SUBFOLDER, Project, Run, Sandbox, login, uid
from uss.sandbox.faults import Fault, FaultKind

pytestmark = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)

COUNT = 200
CANARY = "canary-of-the-migration"
TAGS = {"team": "payments", "cost-center": "42"}
_KINDS = {
    "json": '{"username": "app", "password": "@-{n}", "port": 5432, "tls": true}',
    "sorted": '{"login":"app","password":"@-{n}"}',
    "terraform": '{\n  "url": "https://x/?a=1\\u0026b",\n  "key": "@-{n}"\n}\n',
    "pairs": "DB_USER=app\nDB_PASSWORD=@-{n}=\n",
    "opaque": "@-{n}",
    "lines": "-----BEGIN KEY-----\n@-{n}\n-----END KEY-----\n",
    "foreign": "pässwörd-密码-@-{n}",
    "one-key": '{"value":"@-{n}"}',
}
KINDS = {kind: text.replace("@", CANARY) for kind, text in _KINDS.items()}
"""Values as teams have them, each with the canary."""


def texts(cloud: CloudUnderTest, count: int) -> dict[str, str]:
    """So many secrets of all kinds, by name, and the largest that the cloud takes, up to 60 KB."""
    kinds = list(KINDS.items())
    listed = [kinds[number % len(kinds)] for number in range(count - 1)]
    found = {f"{kind}-{n}": text.replace("{n}", str(n)) for n, (kind, text) in enumerate(listed)}
    return found | {"large": CANARY + "x" * (min(60_000, cloud.limit) - len(CANARY))}


def put(project: Project, cloud: CloudUnderTest, values: Mapping[str, str]) -> None:
    """Make the secrets by the vendor's own client."""
    for name, value in values.items():
        cloud.put_foreign(project, name, value, TAGS)


def importing(project: Project, cloud: CloudUnderTest, folder: str = FOLDER) -> list[str]:
    """The arguments of `uss` that import the test's own secrets."""
    given = ["import", cloud.name, "--configuration", "cloud", "--folder", folder]
    return [*given, "--name-starts-with", project.prefix]


def import_(project: Project, cloud: CloudUnderTest, *arguments: str, folder: str = FOLDER) -> Run:
    """Run `uss import` for the test's own secrets."""
    return project.uss(*importing(project, cloud, folder), *arguments)


def imported(sandbox: Sandbox) -> int:
    """How many records the vault has that were imported."""
    content = yaml.safe_load(sandbox.vault_file.read_text(encoding="utf-8"))
    return sum(
        any(field.get("label") == "uss:source" for field in record.get("custom") or []) for record in content["records"]
    )


def killed_import(project: Project, sandbox: Sandbox, cloud: CloudUnderTest, records: int) -> None:
    """Kill `uss import` once it has created so many records: the next one is asked for when they are answered."""

    def created() -> bool:
        return sandbox.control.calls().get("keeper", {}).get("create_secret", 0) > records

    project.killed_uss(*importing(project, cloud), when=created)


@pytest.mark.timeout(900)
def test_a_whole_migration(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault())
    ready.environment["TMPDIR"] = str(ready.folder)
    values = texts(cloud, COUNT)
    put(ready, cloud, values)
    versions = 2 if cloud.name == "azure" else 1  # Resource Manager never tells whether a value is equal

    run = import_(ready, cloud, "--dry-run")
    assert run.code == 0, run.output
    assert f"{COUNT} would import." in run
    assert leaks(run.output, CANARY) == {}
    assert imported(sandbox) == 0

    sandbox.control.reset_calls()
    killed_import(ready, sandbox, cloud, COUNT // 4)
    assert COUNT // 4 <= imported(sandbox) < COUNT
    run = import_(ready, cloud)
    assert run.code == 0, run.output
    assert imported(sandbox) == COUNT
    assert leaks(run.output, CANARY) == {}
    again = import_(ready, cloud)
    assert f"{COUNT} present." in again
    assert imported(sandbox) == COUNT

    assert f"{COUNT} adopt." in ready.uss("adopt", "cloud")
    run = ready.preview()
    assert f"{COUNT} secrets: {COUNT} to adopt" in run
    assert run.output.count("it is there, and its value is the record's") == (0 if cloud.name == "azure" else COUNT)
    assert leaks(run.output, CANARY) == {}
    ready.up_well()
    assert cloud.values(ready) == values
    assert {cloud.versions(ready, name) for name in values} == {versions}
    assert all(TAGS.items() <= cloud.marks(ready, name).items() for name in list(values)[:10])
    assert cloud.describe(ready, "json-0")
    assert ready.preview("--expect-no-changes").code == 0
    assert _left_behind(ready, sandbox) == {}

    sandbox.edit(_change)
    ready.up_well()
    assert cloud.values(ready) == values | {"json-0": values["json-0"].replace(f"{CANARY}-0", "changed")}


def _left_behind(project: Project, sandbox: Sandbox) -> dict[str, dict[str, set[Form]]]:
    """The files that hold a value: of the project, its state, its temporary files and the sandbox's log."""
    log = sandbox.folder / "sandbox" / "sandbox.log"
    return leaking_files(project.folder, CANARY) | leaking_files(log, CANARY)


def _change(records: dict[str, dict[str, object]]) -> None:
    for record in records.values():
        text = json.dumps(record).replace(f'"{CANARY}-0"', '"changed"')
        record.update(json.loads(text))


def test_what_was_there_is_kept_on_the_record(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault())
    put(ready, cloud, {"name": KINDS["json"]})
    assert import_(ready, cloud, folder="Production/Payments").code == 0
    content = yaml.safe_load(sandbox.vault_file.read_text(encoding="utf-8"))
    (record,) = [entry for entry in content["records"] if entry["title"] == "name"]
    custom = {field["label"]: field["value"][0] for field in record["custom"]}
    assert (record["folder"], record["type"]) == (SUBFOLDER, "login")
    assert ready.prefix + "name" in custom["uss:source"]
    tags = {key.removeprefix("labels/"): value for key, value in json.loads(custom["uss:tags"]).items()}
    assert tags == TAGS
    assert custom.get("uss:description", DESCRIPTION) == DESCRIPTION
    assert custom["port"] == "5432"


def test_one_that_is_in_the_way_does_not_stop_the_rest(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault(login(uid(1), "taken", "p", SUBFOLDER)))
    configure(ready, cloud, includeSubfolders=True)
    put(ready, cloud, {"first": "a", "second": "b", "taken": "c"})
    with closing(sandbox.aws()) as client:
        if cloud.name == "aws":
            client.create_secret(Name=ready.prefix + "binary", SecretBinary=b"\xff")
            client.create_secret(Name=ready.prefix + "pending", SecretString="x")
            client.delete_secret(SecretId=ready.prefix + "pending")
    run = import_(ready, cloud, "--record-type", "encryptedNotes")
    assert run.code == 0, run.output
    assert f"would have the title of the record {uid(1)}" in run
    assert f"2 imported, {3 if cloud.name == 'aws' else 1} skipped." in run
    if cloud.name == "aws":
        assert "is binary" in run
        assert "is marked for deletion" in run
    assert imported(sandbox) == 2


def test_what_cannot_be_listed_is_told_and_nothing_is_created(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(cloud.vault())
    put(ready, cloud, {"first": CANARY})
    operation = {"aws": "secretsmanager:ListSecrets", "azure": "keyvault.getSecrets", "gcp": cloud.lookup}[cloud.name]
    sandbox.control.add_fault(Fault(cloud.name, operation, FaultKind.DENIED))
    run = import_(ready, cloud)
    assert run.code == 1
    assert run.output.startswith("Error: configuration")
    assert "Allow it that" in run
    assert "Traceback" not in run
    assert leaks(run.output, CANARY) == {}
    assert imported(sandbox) == 0


@pytest.mark.parametrize("kind", [FaultKind.THROTTLED, FaultKind.DROPPED, FaultKind.LOST])
def test_keeper_that_throttles_or_is_cut_off_gets_each_record_once(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest, kind: FaultKind
) -> None:
    sandbox.write_vault(cloud.vault())
    put(ready, cloud, {f"name-{n}": f"value-{n}" for n in range(4)})
    sandbox.control.add_fault(Fault("keeper", "create_secret", kind, after=1, times=2, seconds=0.1))
    run = import_(ready, cloud)
    assert run.code == 0, run.output
    assert "4 imported." in run
    assert imported(sandbox) == 4


def test_a_person_decides_what_may_be_rewritten(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault())
    put(ready, cloud, {"same": "a", "other": KINDS["json"], "tool": "t"})
    cloud.put_foreign(ready, "claimed", "c", {"managed-by": "terraform"})
    assert import_(ready, cloud).code == 0
    sandbox.edit(_without_format)
    run = ready.uss("adopt", "cloud")
    assert run.code == 0, run.output
    assert '"claimed"' not in ready.stack_file.read_text(encoding="utf-8")
    assert 'it is marked "managed-by": "terraform"' in run
    assert "the sync would change: " in run
    assert "2 adopt, 1 decide, 1 left out." in run
    uid = run.output.partition("--rewrite ")[2].split()[0]
    assert uid not in ready.stack_file.read_text(encoding="utf-8")
    assert "3 adopt, 1 left out." in ready.uss("adopt", "cloud", "--rewrite", uid)
    ready.up_well()
    rewritten = {"login": "app", "password": CANARY + "-{n}", "port": "5432", "tls": "true"}
    assert json.loads(cloud.values(ready)["other"]) == rewritten
    assert cloud.values(ready)["claimed"] == "c"
    assert "took 3 out of `adopt`" in ready.uss("adopt", "cloud")
    assert "adopt" not in ready.stack_file.read_text(encoding="utf-8")
    assert "3 unchanged" in ready.preview("--expect-no-changes")
    assert "the UID of none of these records" in ready.uss("adopt", "cloud", "--rewrite", "X")


def _without_format(records: dict[str, dict[str, list[dict[str, object]]]]) -> None:
    for record in records.values():
        record["custom"] = [field for field in record.get("custom") or [] if field["label"] != "uss:format"]


def test_mistakes_are_told_before_anything_is_read(ready: Project, sandbox: Sandbox, cloud: CloudUnderTest) -> None:
    sandbox.write_vault(cloud.vault())
    other = next(entry.name for entry in CLOUDS if entry is not cloud)
    run = ready.uss("import", other, "--configuration", "cloud", "--folder", FOLDER)
    assert (run.code, f"run `uss import {cloud.name}`" in run) == (1, True), run.output
    assert "is none of Keeper's own types" in import_(ready, cloud, "--record-type", "logn")
    assert "the application sees no folder" in import_(ready, cloud, folder="Nowhere")
    assert 'has no configuration "none". It has: "cloud"' in ready.uss("adopt", "none")
    configure(ready, cloud, folders=["Production/Payments"])
    assert "does not link the folder" in import_(ready, cloud, "--dry-run")


def test_tags_that_would_be_lost_are_for_a_person_to_decide(
    ready: Project, sandbox: Sandbox, cloud: CloudUnderTest
) -> None:
    sandbox.write_vault(cloud.vault())
    put(ready, cloud, {"kept": "a", "lost": "b"})
    assert import_(ready, cloud).code == 0
    sandbox.edit(_without_tags_of_the_lost)
    configure(ready, cloud, tags={"cost-center": "43"})
    run = ready.uss("adopt", "cloud")
    assert "2 decide." in run
    place = "labels/" if cloud.name == "gcp" else ""
    assert f'the sync would change: tags ("{place}cost-center").' in run
    assert f'the sync would change: tags ("{place}cost-center", "{place}team").' in run


def _without_tags_of_the_lost(records: dict[str, dict[str, Any]]) -> None:
    for record in records.values():
        if record["title"] == "lost":
            record["custom"] = [field for field in record["custom"] if field["label"] != "uss:tags"]
