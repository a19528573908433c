"""Secret Manager's rules, seen by Google's own client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import google_crc32c
import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud.secretmanager_v1.types import SecretVersion

from tests.sandbox.gcp.kit import AUTOMATIC, OTHER_PROJECT, PARENT, PROJECT, Gcp

NAME = f"{PARENT}/secrets/database"
STATE = SecretVersion.State


def create(client: Any, name: str = "database", **more: Any) -> Any:
    return client.create_secret(parent=PARENT, secret_id=name, secret=AUTOMATIC | more)


def add(client: Any, value: str = "one", name: str = NAME) -> Any:
    return client.add_secret_version(parent=name, payload={"data": value.encode()})


def latest(client: Any) -> str:
    answer = client.access_secret_version(name=f"{NAME}/versions/latest", retry=None)
    return str(answer.payload.data.decode())


def update(client: Any, *paths: str, **given: Any) -> Any:
    return client.update_secret(secret={"name": NAME} | given, update_mask={"paths": paths})


def test_a_new_secret_is_named_by_the_projects_number_and_found_by_id_and_number(
    client: Any,
) -> None:
    made = create(client, labels={"team": "payments"}, annotations={"title": "The Database"})
    number = made.name.split("/")[1]
    assert number.isdecimal()
    assert client.get_secret(name=NAME) == client.get_secret(name=made.name) == made
    assert dict(made.labels) == {"team": "payments"}
    assert dict(made.annotations) == {"title": "The Database"}
    assert "automatic" in made.replication
    assert made.etag
    assert made.create_time


def test_versions_count_up_and_the_latest_is_the_highest(client: Any) -> None:
    create(client)
    assert [add(client, value).name.rpartition("/")[2] for value in ("one", "two", "three")] == ["1", "2", "3"]
    assert latest(client) == "three"
    listed = list(client.list_secret_versions(parent=NAME))
    assert [version.name.rpartition("/")[2] for version in listed] == ["3", "2", "1"]


def test_the_latest_version_stays_the_latest_when_it_is_disabled_or_destroyed(
    client: Any,
) -> None:
    create(client)
    add(client, "one")
    add(client, "two")
    client.disable_secret_version(name=f"{NAME}/versions/2")
    with pytest.raises(BadRequest, match="versions/2] is in DISABLED state") as refused:
        latest(client)
    assert refused.value.response.json()["error"]["status"] == "FAILED_PRECONDITION"
    client.enable_secret_version(name=f"{NAME}/versions/2")
    assert latest(client) == "two"
    destroyed = client.destroy_secret_version(name=f"{NAME}/versions/2")
    assert destroyed.state == STATE.DESTROYED
    assert destroyed.destroy_time
    with pytest.raises(BadRequest, match="is in DESTROYED state"):
        latest(client)
    for method in (client.enable_secret_version, client.disable_secret_version, client.destroy_secret_version):
        with pytest.raises(BadRequest, match="is in DESTROYED state"):
            method(name=f"{NAME}/versions/2")


def test_a_secret_is_gone_with_all_versions_at_once_and_its_name_is_free(client: Any) -> None:
    create(client)
    add(client)
    client.delete_secret(name=NAME)
    for ask in (client.get_secret, client.delete_secret):
        with pytest.raises(NotFound, match=r"Secret \[projects/\d+/secrets/database\] not found\."):
            ask(name=NAME)
    create(client)
    with pytest.raises(NotFound, match="not found or has no versions"):
        latest(client)


def test_a_name_is_used_once_in_a_project_and_its_case_counts(client: Any) -> None:
    create(client)
    with pytest.raises(Conflict, match=r"Secret \[projects/\d+/secrets/database\] already exists\."):
        create(client)
    create(client, "Database")
    client.create_secret(parent=f"projects/{OTHER_PROJECT}", secret_id="database", secret=AUTOMATIC)


def test_replication_is_shown_and_cannot_change(client: Any) -> None:
    replicas = [{"location": "europe-west1"}, {"location": "us-east1"}]
    made = create(client, replication={"user_managed": {"replicas": replicas}})
    assert [replica.location for replica in made.replication.user_managed.replicas] == ["europe-west1", "us-east1"]
    with pytest.raises(BadRequest, match="immutable"):
        update(client, "replication", **AUTOMATIC)
    with pytest.raises(BadRequest, match="replication"):
        client.create_secret(parent=PARENT, secret_id="none", secret={})


def test_an_update_changes_what_its_mask_names(client: Any) -> None:
    before = create(client, labels={"team": "payments"}, annotations={"title": "One"})
    after = update(client, "annotations", annotations={"title": "Two"})
    assert dict(after.labels) == {"team": "payments"}
    assert dict(after.annotations) == {"title": "Two"}
    assert after.etag != before.etag
    assert dict(update(client, "labels").labels) == {}
    with pytest.raises(BadRequest, match="etag"):
        update(client, "labels", etag=before.etag)
    with pytest.raises(BadRequest, match="update_mask"):
        update(client)
    with pytest.raises(BadRequest, match="topics"):
        update(client, "topics")


def test_an_alias_names_a_version(client: Any) -> None:
    create(client)
    add(client, "one")
    add(client, "two")
    update(client, "version_aliases", version_aliases={"stable": 1})
    assert client.access_secret_version(name=f"{NAME}/versions/stable").payload.data == b"one"
    assert client.get_secret_version(name=f"{NAME}/versions/stable").name.endswith("/versions/1")
    with pytest.raises(BadRequest, match="named by its number"):
        client.destroy_secret_version(name=f"{NAME}/versions/stable")
    with pytest.raises(BadRequest, match="does not name a version"):
        update(client, "version_aliases", version_aliases={"stable": 7})


def test_a_destruction_can_be_delayed_and_called_off(gcp: Gcp, client: Any) -> None:
    create(client, version_destroy_ttl=timedelta(days=2))
    add(client)
    asked = client.destroy_secret_version(name=f"{NAME}/versions/1")
    assert asked.state == STATE.DISABLED
    assert asked.scheduled_destroy_time
    assert not client.enable_secret_version(name=f"{NAME}/versions/1").scheduled_destroy_time
    client.destroy_secret_version(name=f"{NAME}/versions/1")
    assert gcp.server.dump()[PROJECT]["database"]["values"] == {"1": "one"}
    gcp.ahead = 86_400 * 2 + 60
    dumped = gcp.server.dump()[PROJECT]["database"]
    assert (dumped["versions"], dumped["values"]) == ({"1": "DESTROYED"}, {})


def test_a_payload_is_at_most_65536_bytes_and_not_empty(client: Any) -> None:
    create(client)
    client.add_secret_version(parent=NAME, payload={"data": bytes(65_536)})
    with pytest.raises(BadRequest, match=r"at most \[65536\] bytes"):
        client.add_secret_version(parent=NAME, payload={"data": bytes(65_537)})
    with pytest.raises(BadRequest, match="Secret Payload cannot be empty"):
        client.add_secret_version(parent=NAME, payload={})


@pytest.mark.parametrize("data", [b"text", "日本\n ".encode(), b"\x00\xff\xfe", bytes(range(256)) * 256])
def test_a_value_comes_back_to_the_byte(client: Any, data: bytes) -> None:
    create(client)
    client.add_secret_version(parent=NAME, payload={"data": data})
    payload = client.access_secret_version(name=f"{NAME}/versions/latest").payload
    assert (payload.data, payload.data_crc32c) == (data, google_crc32c.value(data))


def test_a_payload_has_a_checksum_and_one_that_does_not_match_is_refused(client: Any) -> None:
    create(client)
    data = "grüße".encode()
    added = client.add_secret_version(parent=NAME, payload={"data": data, "data_crc32c": google_crc32c.value(data)})
    assert added.client_specified_payload_checksum
    answer = client.access_secret_version(name=f"{NAME}/versions/latest")
    assert (answer.payload.data, answer.payload.data_crc32c) == (data, google_crc32c.value(data))
    with pytest.raises(BadRequest, match="checksum"):
        client.add_secret_version(parent=NAME, payload={"data": data, "data_crc32c": 1})


def test_lists_come_in_pages_newest_first_and_filtered(client: Any) -> None:
    for number in range(5):
        create(client, f"secret-{number}", labels={"number": str(number % 2)})
    pages = list(client.list_secrets(request={"parent": PARENT, "page_size": 2}).pages)
    assert [len(page.secrets) for page in pages] == [2, 2, 1]
    assert pages[0].total_size == 5
    names = [secret.name.rpartition("/")[2] for page in pages for secret in page.secrets]
    assert names == [f"secret-{number}" for number in (4, 3, 2, 1, 0)]
    odd = client.list_secrets(request={"parent": PARENT, "filter": "labels.number=1 AND NOT name:secret-3"})
    assert [secret.name.rpartition("/")[2] for secret in odd] == ["secret-1"]
    assert list(client.list_secrets(parent=f"projects/{OTHER_PROJECT}")) == []


def test_versions_are_filtered_by_state(client: Any) -> None:
    create(client)
    add(client)
    add(client)
    client.disable_secret_version(name=f"{NAME}/versions/1")
    enabled = client.list_secret_versions(request={"parent": NAME, "filter": "state:ENABLED"})
    assert [version.name.rpartition("/")[2] for version in enabled] == ["2"]


def test_the_dump_tells_everything(gcp: Gcp, client: Any) -> None:
    create(client, labels={"team": "payments"}, annotations={"title": "x"})
    add(client, "one")
    add(client, "two")
    client.destroy_secret_version(name=f"{NAME}/versions/1")
    dumped = gcp.server.dump()[PROJECT]["database"]
    assert dumped.pop("createTime")
    assert dumped.pop("name") == NAME
    assert dumped == {
        "value": "two",
        "versions": {"1": "DESTROYED", "2": "ENABLED"},
        "values": {"2": "two"},
        "labels": {"team": "payments"},
        "annotations": {"title": "x"},
        "replication": {"automatic": {}},
        "versionAliases": {},
    }
    client.disable_secret_version(name=f"{NAME}/versions/2")
    assert gcp.server.dump()[PROJECT]["database"]["value"] is None
