"""The store answers as moto's own does."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, SecretsStore

from uss.sandbox.aws.store import IndexedStore

ACCOUNT = "123456789012"
NAMES = st.text(string.ascii_letters + string.digits + "/_+=.@!-", min_size=1, max_size=12)


def secret_of(name: str) -> FakeSecret:
    """A secret in the first region."""
    return FakeSecret(ACCOUNT, "us-east-1", name, {"version_id": "v1"}, "v1")


def replica_of(name: str) -> ReplicaSecret:
    """A replica of a secret of another region."""
    return ReplicaSecret(FakeSecret(ACCOUNT, "eu-west-1", name, {"version_id": "v1"}, "v1"), "us-east-1")


@given(secrets=st.sets(NAMES, max_size=6), replicas=st.sets(NAMES, max_size=6), strange=NAMES, data=st.data())
def test_it_finds_and_takes_out_what_moto_does(
    secrets: set[str], replicas: set[str], strange: str, data: st.DataObject
) -> None:
    content: list[tuple[str, FakeSecret | ReplicaSecret]] = [(name, secret_of(name)) for name in secrets]
    content += [(replica.arn, replica) for replica in map(replica_of, replicas - secrets)]
    theirs, ours = SecretsStore(), IndexedStore(content)
    for key, secret in content:
        theirs[key] = secret
    asked = [strange, f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{strange}"]
    for _, secret in content:
        asked += [secret.name, secret.arn, secret.arn[:-7], secret.arn.replace("us-east-1", "eu-west-1")]
    for gone in data.draw(st.lists(st.sampled_from(sorted(secrets)), unique=True)) if secrets else []:
        assert ours.pop(gone) is theirs.pop(gone)
    for key in asked:
        assert ours.get(key) is theirs.get(key)
        assert (key in ours) == (key in theirs)
        if key in theirs:
            assert ours[key] is theirs[key]
    assert dict(ours.items()) == dict(theirs.items())


def test_a_replica_that_was_taken_out_past_the_store_is_not_found() -> None:
    replica = replica_of("app")
    store = IndexedStore([(replica.arn, replica)])
    assert store["app"] is store[replica.arn] is replica
    dict.pop(store, replica.arn)  # as moto does it
    assert store.get("app") is None
    assert replica.arn not in store


def test_a_replica_is_taken_out_by_its_name() -> None:
    replica = replica_of("app")
    store = IndexedStore([(replica.arn, replica)])
    assert store.pop("app") is replica
    assert store.pop("app") is None
    assert not store
