"""GCP: with whose keys a secret is encrypted (CMEK), and in which order its replicas are listed, is its owner's affair.

Each test has a secret of every kind at once: runs of the engine are what takes the time.
"""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.sync.clouds import GCP_PROJECT, GcpUnderTest
from tests.sync.harness import FOLDER, SUBFOLDER, Project, Sandbox, login, password, plain_prefix, uid

GCP = GcpUnderTest()
WEST1, WEST4, NORTH = "europe-west1", "europe-west4", "europe-north1"
Places = list[tuple[str, str]]
"""Locations and keys of a replication, in their order; `global` is an automatic one's."""


def key(location: str) -> str:
    return f"projects/keys/locations/{location}/keyRings/ring/cryptoKeys/payments"


def encrypted(*locations: str) -> Places:
    return [(location, key(location)) for location in locations]


ADOPTED: dict[str, Places] = {
    "Automatic": encrypted("global"),
    "Managed": encrypted(WEST1, WEST4),
    "Turned": [(WEST4, ""), (WEST1, "")],
    "Turned-Managed": encrypted(WEST4, WEST1),
}
"""Secrets that are there before the sync."""
OWN: dict[str, Places] = {"Own-Automatic": encrypted("global"), "Own-Managed": encrypted(WEST1, WEST4)}
"""Secrets that the sync makes, with the keys that they get by hand afterwards."""
ALL = ADOPTED | OWN
BESIDE, BESIDE_FOLDER = "Beside", "FOLDER-beside-00000001"
"""A secret of another configuration, which is made anew while the others stay."""


@pytest.fixture
def ready(project: Project) -> Project:
    """A project for GCP."""
    project.prefix = plain_prefix(project.prefix)
    return project


def configure(ready: Project, beside: str = NORTH, moved: tuple[str, ...] = (), **keys: Any) -> None:
    """Write the stack file: a configuration for automatic replication, for a user-managed one, and beside them.

    `moved` are other locations for the first two.
    """
    for_all = GCP.configuration() | {"namePrefix": ready.prefix, "limits": {"maxDeletes": 50}} | keys
    adopt = {kind: [title for title in ADOPTED if folder(title) == kind] for kind in (FOLDER, SUBFOLDER)}
    ready.configure(
        for_all | {"folders": [FOLDER], "replicationLocations": list(moved), "adopt": adopt[FOLDER]},
        for_all
        | {"name": "managed", "folders": [SUBFOLDER], "adopt": adopt[SUBFOLDER]}
        | {"replicationLocations": list(moved or (WEST1, WEST4))},
        for_all | {"name": "beside", "folders": [BESIDE_FOLDER], "replicationLocations": [beside]},
    )


def folder(title: str) -> str:
    return FOLDER if ALL[title][0][0] == "global" else SUBFOLDER


def write(sandbox: Sandbox, value: str = "p1", ending: str = "") -> None:
    """Put the records into the vault."""
    records = [login(uid(n), title + ending, value, folder(title)) for n, title in enumerate(ALL)]
    content = GCP.vault(*records, login(uid(99), BESIDE, "p", BESIDE_FOLDER))
    content["folders"].append({"uid": BESIDE_FOLDER, "name": BESIDE})
    sandbox.write_vault(content)


def message(places: Places) -> dict[str, Any]:
    """A replication as Google's client takes it."""
    encryptions = [{"customer_managed_encryption": {"kms_key_name": name}} if name else {} for _, name in places]
    if places[0][0] == "global":
        return {"automatic": encryptions[0]}
    listed = [{"location": place} | entry for (place, _), entry in zip(places, encryptions, strict=True)]
    return {"user_managed": {"replicas": listed}}


def put(ready: Project) -> None:
    """Make by hand what is adopted, with the records' first value."""
    with GCP.client(ready.sandbox) as client:
        for title, places in ADOPTED.items():
            wanted = {"parent": f"projects/{GCP_PROJECT}", "secret_id": ready.prefix + title}
            secret = client.create_secret(request=wanted | {"secret": {"replication": message(places)}})
            payload = {"data": password("p1").encode()}
            client.add_secret_version(request={"parent": secret.name, "payload": payload})


def encrypt(ready: Project) -> None:
    """Give the sync's own secrets keys by hand."""
    with GCP.client(ready.sandbox) as client:
        for title, places in OWN.items():
            secret = {"name": f"projects/{GCP_PROJECT}/secrets/{ready.prefix}{title}", "replication": message(places)}
            client.update_secret(request={"secret": secret, "update_mask": {"paths": ["replication"]}})


def begin(ready: Project, sandbox: Sandbox) -> None:
    """The first sync, and keys by hand."""
    write(sandbox)
    put(ready)
    configure(ready)
    apply(ready)
    encrypt(ready)
    assert held(ready) == ALL


def held(ready: Project) -> dict[str, Places]:
    """The replication of each secret, as Google's client sees it, but for the one beside."""
    found: dict[str, Places] = {}
    with GCP.client(ready.sandbox) as client:
        for secret in client.list_secrets(request={"parent": f"projects/{GCP_PROJECT}"}):
            name = secret.name.rpartition("/")[2]
            replicas = secret.replication.user_managed.replicas
            places = [(entry.location, entry.customer_managed_encryption.kms_key_name) for entry in replicas]
            automatic = [("global", secret.replication.automatic.customer_managed_encryption.kms_key_name)]
            if name.startswith(ready.prefix):
                found[name.removeprefix(ready.prefix)] = places or automatic
    found.pop(BESIDE)
    return found


def states(ready: Project) -> list[list[str]]:
    """The versions' states, of secrets that have the same."""
    return [list(kinds) for kinds in {tuple(GCP.states(ready, title)) for title in ALL}]


def apply(ready: Project, *arguments: str) -> None:
    """A run that says nothing of a replication."""
    run = ready.up_well(*arguments)
    assert "replication" not in run.output.replace(ready.prefix, "")


def test_keys_and_order_stay_while_the_secret_does(ready: Project, sandbox: Sandbox) -> None:
    begin(ready, sandbox)
    sandbox.control.reset_calls()
    apply(ready, "--expect-no-changes")
    ready.up_well("--refresh")
    assert not GCP.calls(sandbox)
    configure(ready, tags={"team": "payments"})
    apply(ready)
    assert held(ready) == ALL
    assert all(GCP.marks(ready, title)["team"] == "payments" for title in ALL)
    write(sandbox, "p2")
    configure(ready, WEST1)
    assert f"REPLACE {ready.prefix}{BESIDE}" in ready.up_well()
    assert held(ready) == ALL
    assert states(ready) == [["DISABLED", "ENABLED"]]
    assert ready.preview("--refresh", "--expect-no-changes").code == 0


def test_keys_and_order_stay_when_the_state_is_lost(ready: Project, sandbox: Sandbox) -> None:
    begin(ready, sandbox)
    shutil.rmtree(ready.state / ".pulumi")
    ready.init()
    apply(ready)
    assert held(ready) == ALL
    assert states(ready) == [["ENABLED"]]
    assert ready.preview("--refresh", "--expect-no-changes").code == 0


def test_a_retitled_records_secret_gets_the_keys_along(ready: Project, sandbox: Sandbox) -> None:
    begin(ready, sandbox)
    ready.up_well("--refresh")
    write(sandbox, ending="-2")
    configure(ready, WEST1)
    ready.up_well()
    assert held(ready) == {f"{title}-2": sorted(places) for title, places in ALL.items()}
    assert GCP.values(ready).keys() == {*held(ready), BESIDE}
    assert ready.preview("--refresh", "--expect-no-changes").code == 0


@pytest.mark.parametrize("ending", ["", "-2"], ids=["the same titles", "others"])
def test_a_changed_replication_is_the_configurations(ready: Project, sandbox: Sandbox, ending: str) -> None:
    begin(ready, sandbox)
    ready.up_well("--refresh")
    write(sandbox, ending=ending)
    configure(ready, moved=(NORTH, WEST1))
    ready.up_well()
    assert held(ready) == {title + ending: [(NORTH, ""), (WEST1, "")] for title in ALL}
    assert ready.preview("--refresh", "--expect-no-changes").code == 0
