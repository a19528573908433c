"""GCP's pure parts: where a configuration's secrets go and as whom, labels and annotations, versions in the state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.builders import FOLDER, OWNERSHIP, SOURCE, record
from tests.leaks import leaks
from uss.clouds.gcp import GCP_NAMES, SECRET, VERSION, Gcp, GcpTarget, ordinal
from uss.config import Configuration
from uss.errors import ConfigurationError
from uss.keeper import Field, pam_configuration
from uss.records.naming import NameFault, cloud_name
from uss.state import StateResource

KEY = {
    "type": "service_account",
    "project_id": "from-key",
    "client_email": "pam@from-key.iam.gserviceaccount.com",
    "private_key": "canary",
    "token_uri": "https://oauth2.googleapis.com/token",
}
TARGET = "keeper-uss@my-project.iam.gserviceaccount.com"


def configuration(**keys: Any) -> Configuration:
    """A configuration for GCP."""
    return Configuration.model_validate({"name": "gcp", "type": "gcp", "folders": [FOLDER]} | keys)


def target(key: object = None, **keys: Any) -> GcpTarget:
    """The target of a configuration, with the PAM Configuration's key."""
    value = json.dumps(KEY) if key is None else key
    pam = pam_configuration(
        record("PAM", "GCP", Field("json", "pamServiceAccountKey", (value,)), kind="pamGcpConfiguration")
    )
    return Gcp().target(configuration(**keys), pam, SOURCE)


def test_project_and_identity() -> None:
    assert (target().project, target().impersonate, target().locations) == ("from-key", None, ("gcp:from-key",))
    found = target(KEY, project="other", sync_identity=TARGET, replication_locations=["b", "a"])
    assert (found.project, found.impersonate, found.replication) == ("other", TARGET, ("a", "b"))
    assert leaks(repr(found), "canary") == {}


@pytest.mark.parametrize(
    ("key", "keys", "text"),
    [
        ("canary", {}, "is not a JSON object"),
        ("[1]", {}, "is not a JSON object"),
        (KEY | {"type": "external_account"}, {}, 'of type "external_account"'),
        (KEY | {"private_key": ""}, {}, "lacks private_key"),
        (KEY | {"project_id": None}, {}, "key `project`: is missing"),
        ("", {}, "key `pamConfiguration`: is missing"),
        (KEY, {"sync_identity": "keeper-uss"}, "e-mail address"),
        (KEY, {"tags": {"Team": "a"}}, 'no label "Team"'),
        (KEY, {"tags": {"team": "A"}}, 'no label "team"'),
        (KEY, {"tags": {"source": "a"}}, "the sync itself sets"),
    ],
)
def test_a_mistake_is_told_without_quoting_the_key(key: object, keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        target(key, **keys)
    assert text in str(caught.value)
    assert leaks(str(caught.value), "canary") == {}


def test_what_fits_a_label_is_one_and_the_rest_are_annotations() -> None:
    tags = Gcp().tags(configuration(tags={"team": "a"}), OWNERSHIP, record("R1", "My Title"), "text/plain")
    assert tags == {
        "labels/team": "a",
        "labels/managed-by": "keeper-uss",
        "labels/source": "keeper",
        "annotations/content-type": "text/plain",
        "annotations/keeper-record-uid": "R1",
        "annotations/keeper-record-title": "My Title",
        "annotations/pulumi-project": "uss",
        "annotations/pulumi-stack": "test",
    }


def resource(kind: str, logical: str, **outputs: object) -> StateResource:
    """A resource of the state."""
    return StateResource(f"urn::{kind}::{logical}", kind, logical, outputs)


def test_the_newest_version_in_the_state_is_the_value() -> None:
    (held,) = Gcp().held(
        [
            resource(VERSION, "gcp/R1@v10", secretData="ten"),
            resource(VERSION, "gcp/R1@v9", secretData="nine"),
            resource(SECRET, "gcp/R1", secretId="one", labels={"a": "b"}, annotations={"C": "d"}),
        ]
    )
    assert (held.name, held.values, held.tags) == ("one", ("ten",), ({"labels/a": "b", "annotations/C": "d"},))
    assert [ordinal(entry) for entry in held.resources] == [10, 9, 0]


def test_a_version_counts_for_the_container_that_it_is_of() -> None:
    """What a rename that was cut off leaves: the new container, and still the old one's version."""
    container = resource(SECRET, "gcp/R1", secretId="new")
    old = resource(VERSION, "gcp/R1@v1", secretData="one", secret="projects/p/secrets/old")
    (held,) = Gcp().held([container, old])
    assert (held.name, held.values, held.resources) == ("new", (), (container, old))
    new = resource(VERSION, "gcp/R1@v2", secretData="one", secret="projects/p/secrets/new")
    (held,) = Gcp().held([container, old, new])
    assert held.values == ("one",)


ENCRYPTED = {"customerManagedEncryption": {"kmsKeyName": "projects/k/locations/l/keyRings/r/cryptoKeys/c"}}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"auto": {}}, [], None),
        ({"userManaged": {"replicas": [{"location": "b"}, {"location": "a"}]}}, ["a", "b"], None),
        ({"auto": ENCRYPTED, "userManaged": None}, [], None),
        ({"userManaged": {"replicas": [{"location": "a"} | ENCRYPTED]}, "auto": None}, ["a"], None),
        ({"auto": {}}, ["a"], "its replication changes from automatic to a"),
        (
            {"auto": ENCRYPTED},
            ["a"],
            "its replication changes from automatic to a, and its own encryption key stays behind",
        ),
        ({"auto": {"customerManagedEncryption": None}}, ["a"], "its replication changes from automatic to a"),
        ({"userManaged": {"replicas": [{"location": "a"}]}}, [], "its replication changes from a to automatic"),
    ],
)
def test_changed_replication_is_a_replacement(before: dict[str, Any], now: list[str], told: str | None) -> None:
    (held,) = Gcp().held([resource(SECRET, "gcp/R1", secretId="one", replication=before)])
    assert Gcp().replacement(held, target(replication_locations=now)) == told


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("labels/team", "a-b_1", True),
        ("labels/équipe", "ж", True),
        ("labels/team", "", True),
        ("labels/Team", "a", False),
        ("labels/1a", "a", False),
        ("labels/", "a", False),
        ("labels/team", "A", False),
        ("labels/team", "x" * 64, False),
        ("annotations/Owner.name", "Any thing!", True),
        ("annotations/bad key", "a", False),
        ("team", "a", False),
    ],
)
def test_labels_and_annotations_that_gcp_does_not_take_are_told(key: str, value: str, fits: bool) -> None:
    assert (Gcp().tag_fault({key: value}) is None) == fits


def test_a_long_or_odd_title_is_cut_in_its_annotation() -> None:
    tags = Gcp().tags(configuration(), OWNERSHIP, record("R1", "<{%" + "x" * 20_000), "text/plain")
    assert tags["annotations/keeper-record-title"].startswith("\\x3c{%x")
    assert Gcp().tag_fault(tags) is None


@pytest.mark.parametrize(
    ("title", "fits"), [("My Secret", True), ("a_b_", True), ("a-", False), ("1a", False), ("a.b", False)]
)
def test_names(title: str, fits: bool) -> None:
    assert isinstance(cloud_name(title, "", GCP_NAMES), str if fits else NameFault)
    assert GCP_NAMES.key("A") != GCP_NAMES.key("a")


def test_marks_that_a_secret_had_are_checked_as_labels_and_annotations() -> None:
    assert Gcp().tag_fault({"labels/größe": "x", "annotations/A": "x" * 16_000}) is None
    assert Gcp().tag_fault({"team": "a"}) == 'GCP has no tags, but labels and annotations: write "labels/team".'
    many = {f"labels/l{number}": "" for number in range(64)}
    assert Gcp().tag_fault(many) == "64 labels with the sync's own; GCP takes 63."
    long = {"annotations/a": "x" * 16_384}
    assert Gcp().tag_fault(long) == "annotations of 16,385 bytes with the sync's own; GCP takes 16,384."


@pytest.mark.parametrize(
    ("key", "reserved"),
    [
        ("labels/team", False),
        ("annotations/team", False),
        ("labels/goog-pulumi-provisioned", True),
        ("annotations/managed-by", True),
        ("labels/pulumi-stack", True),
        ("labels/keeper-record-title", True),
    ],
)
def test_the_syncs_and_googles_own_marks_are_not_carried_over(key: str, reserved: bool) -> None:
    assert Gcp().reserves(key) is reserved
