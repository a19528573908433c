"""One vault, three clouds: in one stack, where each cloud's own rules hold, and in three stacks side by side."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.leaks import leaking_files, leaks
from tests.sync.clouds import CLOUDS, configure_all, vault_of_all
from tests.sync.every_type import expected, records
from tests.sync.harness import Project, Sandbox, login, plain_prefix, uid

CANARIES = ["canary-first-7c1e", "canary-second-9d2f", "canary-too-large-5b3a", "canary-of-the-"]


@pytest.fixture
def ready(project: Project) -> Project:
    """A project with a configuration for each cloud."""
    project.prefix = plain_prefix(project.prefix)
    configure_all(project)
    return project


@contextmanager
def process_arguments() -> Iterator[set[str]]:
    """Collect the arguments of all processes of the machine while inside."""
    found: set[str] = set()
    ended = threading.Event()

    def collect() -> None:
        while not ended.wait(0.02):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    found.add(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def writes(sandbox: Sandbox) -> set[str]:
    """The writing operations of all clouds that were called since the last reset."""
    return {operation for cloud in CLOUDS for operation in cloud.calls(sandbox)}


def test_sixty_records_land_equal_in_all_clouds_and_then_nothing_is_left_to_do(
    ready: Project, sandbox: Sandbox
) -> None:
    sandbox.write_vault(vault_of_all(*records()))
    preview = ready.preview()
    assert f"aws: {len(expected())} secrets: {len(expected())} to create" in preview
    assert f"azure: {len(expected()) - 2} secrets: {len(expected()) - 2} to create, 2 refused" in preview
    assert writes(sandbox) == set()
    ready.up_well()
    for cloud in CLOUDS:
        # What one cloud's limits refuse still reaches the others.
        fits = {name: value for name, value in expected().items() if len(value.encode()) <= cloud.limit}
        assert cloud.values(ready) == fits, cloud.name
    assert len(expected()) == 60
    sandbox.control.reset_calls()
    assert ready.preview("--expect-no-changes").code == 0
    ready.up_well("--expect-no-changes")
    assert writes(sandbox) == set()


def test_what_one_cloud_refuses_still_reaches_the_others(ready: Project, sandbox: Sandbox) -> None:
    sandbox.write_vault(
        vault_of_all(
            login(uid(1), "with/slash", "p1"),
            login(uid(2), "with_underscore", "p2"),
            login(uid(3), "1-digit-first", "p3"),
            login(uid(4), "Large", "x" * 30_000),
            login(uid(5), "SAME", "p5"),
            login(uid(6), "same", "p6"),
        )
    )
    run = ready.up_well()
    assert {cloud.name: set(cloud.values(ready)) for cloud in CLOUDS} == {
        "aws": {"with/slash", "with_underscore", "1-digit-first", "Large", "SAME", "same"},
        "azure": {"1-digit-first"},
        "gcp": {"with_underscore", "1-digit-first", "Large", "SAME", "same"},
    }
    assert run.output.count(f"azure: record {json.dumps('SAME')} ({uid(5)}) is not synced: name clash") >= 1


def test_three_stacks_side_by_side_do_as_one_and_leave_each_other_alone(project: Project, sandbox: Sandbox) -> None:
    project.prefix = plain_prefix(project.prefix)
    sandbox.write_vault(vault_of_all(login(uid(1), "First", "p1"), login(uid(2), "Second", "p2")))
    for cloud in CLOUDS:
        project.stack = cloud.name
        project.init()
        project.configure(cloud.configuration() | {"namePrefix": project.prefix})
        project.up_well()
    assert all(cloud.values(project).keys() == {"First", "Second"} for cloud in CLOUDS)
    project.stack = "another"
    project.init()
    configure_all(project)
    run = project.up_well()
    for cloud in CLOUDS:
        whose = f'which the stack "{cloud.name}" of project "uss" manages, for record "{uid(1)}"'
        assert f'{cloud.title} holds a secret "{project.prefix}First" already, {whose}' in run
    project.destroy()
    assert all(cloud.values(project).keys() == {"First", "Second"} for cloud in CLOUDS)


def test_no_value_is_in_anything_that_a_run_leaves_behind(ready: Project, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.write_vault(
        vault_of_all(login(uid(1), "Small", CANARIES[0]), login(uid(2), "Large", CANARIES[2] + "x" * 70_000))
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    home = tmp_path / "home"
    options = {"TMPDIR": str(temporary), "PULUMI_HOME": str(home)}
    with process_arguments() as arguments:
        screens = [ready.preview("--diff", "--debug", **options).output, ready.up_well("--diff", **options).output]
        sandbox.edit(lambda found: found[uid(1)]["fields"][1].update(value=[CANARIES[1]]))
        screens += [
            ready.preview("--diff", "--debug", **options).output,
            ready.up_well("--diff", **options).output,
            ready.preview("--json", **options).output,
            ready.exported(),
            json.dumps(ready.outputs()),
            sandbox.folder.joinpath("sandbox", "sandbox.log").read_text(encoding="utf-8"),
        ]
    screens.append("\n".join(arguments))
    assert any("pulumi-language-python-exec" in line for line in arguments)
    assert all(cloud.values(ready) for cloud in CLOUDS)
    # The engine keeps a log of every run, with all properties: it has to be encrypted, as the state's secrets are.
    logs = [log.read_bytes() for log in (home / "logs").iterdir()]
    assert [log[:4] for log in logs] == [b"PLOG"] * 5
    searched = [*CANARIES, "PRIVATE KEY"]
    assert [found for screen in screens if (found := leaks(screen, *searched))] == []
    assert leaking_files(tmp_path, *searched) == {}


def test_a_cloud_that_does_not_let_the_run_in_keeps_all_clouds_as_they_are(ready: Project, sandbox: Sandbox) -> None:
    """The engine tries AWS's identity before the program asks anything, and ends the run there: in its own words, and
    without those of a cloud whose identity the first call tries.
    """
    content = vault_of_all(login(uid(1), "First", "p1"))
    for cloud in CLOUDS:
        content["clouds"][cloud.name] = cloud.vault(trusted=False)["clouds"][cloud.name]
    sandbox.write_vault(content)
    run = ready.up()
    assert run.code != 0
    assert CLOUDS[0].wrong_identity in run
    assert writes(sandbox) == set()
