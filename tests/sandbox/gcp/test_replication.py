"""Where payloads are kept and with whose keys, and that a request says so."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from google.api_core.exceptions import BadRequest

from tests.sandbox.gcp.kit import AUTOMATIC, PARENT, Gcp
from uss.sandbox.gcp.exceptions import InvalidArgumentError
from uss.sandbox.gcp.replication import read_replication

NAME = f"{PARENT}/secrets/database"
WEST, EAST = "europe-west1", "us-east1"


def key(location: str, name: str = "payments") -> str:
    return f"projects/keys/locations/{location}/keyRings/ring/cryptoKeys/{name}"


def encryption(location: str, name: str = "payments") -> dict[str, Any]:
    return {"customer_managed_encryption": {"kms_key_name": key(location, name)}}


def managed(*replicas: dict[str, Any]) -> dict[str, Any]:
    return {"user_managed": {"replicas": list(replicas)}}


BOTH = managed(*({"location": location} | encryption(location) for location in (EAST, WEST)))


def create(client: Any, replication: Any) -> Any:
    return client.create_secret(parent=PARENT, secret_id="database", secret={"replication": replication})


def update(client: Any, *paths: str, **given: Any) -> Any:
    return client.update_secret(secret={"name": NAME} | given, update_mask={"paths": paths})


def keys(described: Any) -> dict[str, str]:
    """The keys by location of a replication, in its order."""
    automatic = described.automatic.customer_managed_encryption.kms_key_name
    replicas = described.user_managed.replicas
    if automatic:
        return {"global": automatic}
    return {replica.location: replica.customer_managed_encryption.kms_key_name for replica in replicas}


@pytest.mark.parametrize(
    "replication",
    [
        None,
        {},
        [],
        {"automatic": {}, "userManaged": {"replicas": [{"location": EAST}]}},
        {"automatic": "yes"},
        {"userManaged": {"replicas": []}},
        {"userManaged": {"replicas": [None]}},
        {"userManaged": {"replicas": [{"location": EAST}, {"location": EAST}]}},
        {"userManaged": {"replicas": [{"location": "US"}]}},
    ],
)
def test_one_that_says_nothing_definite_is_refused(replication: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        read_replication(replication)


@pytest.mark.parametrize("name", ["", "payments", key(WEST), key("global") + "/cryptoKeyVersions/1"])
def test_a_key_must_be_one_and_where_the_payload_is(client: Any, name: str) -> None:
    given = {"customer_managed_encryption": {"kms_key_name": name}}
    with pytest.raises(BadRequest, match="KMS key|kms_key_name"):
        create(client, {"automatic": given})
    with pytest.raises(BadRequest, match="KMS key|kms_key_name"):
        create(client, managed({"location": EAST} | given))


def test_keys_are_kept_and_shown(client: Any) -> None:
    assert keys(create(client, {"automatic": encryption("global")}).replication) == {"global": key("global")}
    assert keys(client.get_secret(name=NAME).replication) == {"global": key("global")}
    client.delete_secret(name=NAME)
    create(client, BOTH)
    (listed,) = client.list_secrets(parent=PARENT)
    assert list(keys(listed.replication).items()) == [(EAST, key(EAST)), (WEST, key(WEST))]


def test_keys_change_in_place_for_the_versions_that_follow(client: Any) -> None:
    create(client, AUTOMATIC["replication"])
    for number, replication in enumerate(({"automatic": encryption("global")}, {"automatic": {}}), start=1):
        assert keys(update(client, "replication", replication=replication).replication) == keys(
            client.get_secret(name=NAME).replication
        )
        client.add_secret_version(parent=NAME, payload={"data": b"x"})
        first = client.get_secret_version(name=f"{NAME}/versions/1").replication_status.automatic
        assert first.customer_managed_encryption.kms_key_version_name == key("global") + "/cryptoKeyVersions/1"
        latest = client.get_secret_version(name=f"{NAME}/versions/{number}").replication_status.automatic
        assert bool(latest.customer_managed_encryption.kms_key_version_name) == (number == 1)


@pytest.mark.parametrize(
    "other",
    [
        {"automatic": {}},
        managed({"location": WEST}, {"location": EAST}),
        managed({"location": EAST}),
    ],
    ids=["automatic", "another order", "one location less"],
)
def test_all_else_is_immutable_and_a_refused_update_changes_nothing(client: Any, other: dict[str, Any]) -> None:
    create(client, BOTH)
    before = client.get_secret(name=NAME)
    with pytest.raises(BadRequest, match="immutable"):
        update(client, "labels", "replication", labels={"team": "x"}, replication=other)
    assert client.get_secret(name=NAME) == before


def test_null_is_as_good_as_nothing_in_a_message_and_a_fault_in_a_map(gcp: Gcp, client: Any) -> None:
    created = client.create_secret(parent=PARENT, secret_id="first", secret=AUTOMATIC)
    headers = {"Authorization": f"Bearer {gcp.token(gcp.credentials())}"}
    url = f"{gcp.server.url}/v1/{PARENT}/secrets"
    replicas = [{"location": EAST, "customerManagedEncryption": None}]
    body: dict[str, Any] = {"replication": {"automatic": None, "userManaged": {"replicas": replicas}}, "labels": None}
    made = requests.post(url, params={"secretId": "database"}, json=body, headers=headers, timeout=10)
    assert made.json()["replication"] == {"userManaged": {"replicas": [{"location": EAST}]}}
    wrong = requests.patch(
        f"{url}/first", params={"updateMask": "labels"}, json={"labels": {"team": None}}, headers=headers, timeout=10
    )
    assert wrong.status_code == 400
    assert client.get_secret(name=created.name) == created
