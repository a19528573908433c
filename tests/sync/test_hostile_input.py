"""Titles, labels and values that somebody wrote to break things: no crash, nothing injected, the bytes as they are."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from tests.sync.clouds import CLOUDS, configure_all, vault_of_all
from tests.sync.harness import FOLDER, Project, Run, Sandbox, login, plain_prefix, uid, vault

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "a\nwarning: b",
    "a\r\nerror: c",
    "right\u202eleft",
    "zero\u200bwidth\ufeff",
    '{"json": [1, 2]}',
    "yaml: {a: [b]} # c",
    "- x\n- y: &anchor z",
    "${pulumi.stack}{{template}}$(id)`id`",
    "../../other-team/key",
    "/absolute/path",
    "%s%n%x",
    "\x00nul",
    "\ud7ff\U0010ffff",
    "'; DROP TABLE secrets; --",
    "<{%bogus%}>",
    "<{%fg 1%}>red<{%reset%}>",
    "<{%unterminated",
    "x" * 100_000,
]


def assert_clean(run: Run) -> None:
    """Nothing on the screen but what a terminal shows as it is."""
    odd = {
        character for character in run.output if unicodedata.category(character) in ("Cc", "Cf") and character != "\n"
    }
    assert odd == set(), run.output[:2_000]
    assert "warning: b" not in [line.strip() for line in run.output.splitlines()]


def test_hostile_titles_are_refused_or_names_and_nothing_reaches_the_screen(project: Project, sandbox: Sandbox) -> None:
    records = [login(uid(number), title, f"p{number}") for number, title in enumerate(HOSTILE)]
    sandbox.write_vault(vault(*records, login(uid(99), "Good", "p99")))
    for run in (project.preview("--diff"), project.up_well("--diff")):
        assert_clean(run)
        assert len(run.output) < 400_000
    # As a terminal gets it: what the engine takes for a colour that it does not know makes it panic.
    assert "panic" not in project.up_well("--color", "always")
    # A prefix stands before whatever a title says: no title reaches another team's names.
    assert project.secrets().keys() == {"../../other-team/key", "/absolute/path", "Good"}
    assert project.preview("--expect-no-changes").code == 0


def test_hostile_labels_and_values_land_to_the_byte_in_every_cloud(project: Project, sandbox: Sandbox) -> None:
    project.prefix = plain_prefix(project.prefix)
    configure_all(project)
    texts = [text for text in HOSTILE if len(text) < 1_000]
    custom = [{"type": "text", "label": text, "value": [text]} for text in texts]
    record: dict[str, Any] = {"uid": uid(1), "folder": FOLDER, "type": "login", "title": "Hostile", "custom": custom}
    sandbox.write_vault(vault_of_all(record))
    assert_clean(project.preview("--diff"))
    assert_clean(project.up_well("--diff"))
    for cloud in CLOUDS:
        assert json.loads(cloud.values(project)["Hostile"]) == {text: text for text in texts}, cloud.name
    assert project.preview("--expect-no-changes").code == 0


def test_ten_thousand_fields_are_too_large_and_no_crash(project: Project, sandbox: Sandbox) -> None:
    custom = [{"type": "text", "label": f"field {number}", "value": ["v"]} for number in range(10_000)]
    record = {"uid": uid(1), "folder": FOLDER, "type": "login", "title": "Large", "custom": custom}
    sandbox.write_vault(vault(record, login(uid(2), "Good", "p2")))
    run = project.up_well()
    assert f"({uid(1)}) is not synced: too large" in run
    assert project.secrets().keys() == {"Good"}


def test_hostile_reserved_fields_are_refused_and_the_others_go_on(project: Project, sandbox: Sandbox) -> None:
    """What a record says of its own name and tags in the cloud."""
    project.prefix = plain_prefix(project.prefix)
    configure_all(project)
    sources = {
        "aws": "arn:aws:secretsmanager:us-east-1:1:secret:a",
        "azure": "https://kv/secrets/a",
        "gcp": "projects/p/secrets/a",
    }
    records = []
    for number, text in enumerate(["\\ud800", "<{%bogus%}>", "Not OK!\\u001b[31m", "\\u202e", ""]):
        for place, (name, source) in enumerate(sources.items()):
            key = {"aws": text, "azure": text, "gcp": f"labels/{text}"}[name]
            tags = f'{{"{key}": "{text or "x" * 5_000}"}}'
            said = {"uss:source": source, "uss:tags": tags, "uss:name": f"{project.prefix}n{number}{name}"}
            custom = [{"type": "text", "label": label, "value": [value]} for label, value in said.items()]
            records.append(login(uid(10 * number + place), f"Title <{{%bogus%}}> {number} {name}", "p", custom=custom))
    odd = [{"type": "text", "label": "uss:Name", "value": ["x"]}]
    sandbox.write_vault(vault_of_all(*records, login(uid(98), "Odd", "p", custom=odd), login(uid(99), "Good", "p99")))
    assert "panic" not in project.preview("--diff", "--color", "always")
    assert_clean(project.up_well("--diff"))
    for cloud in CLOUDS:
        assert cloud.values(project).keys() == {"Good"}, cloud.name
    assert project.preview("--expect-no-changes").code == 0
