"""AWS's pure parts: where a configuration's secrets go and as whom, and what the state holds."""

from __future__ import annotations

import pytest

from tests.builders import ROLE, SOURCE, configuration, held, record
from uss.clouds.aws import SECRET, VERSION, Aws, AwsTarget
from uss.clouds.interface import LogicalName
from uss.errors import ConfigurationError
from uss.keeper import Field, PamConfiguration, pam_configuration
from uss.state import StateResource

KEYS = {"Access Key Id": "AKIA", "Access Secret Key": "canary", "Region Names": "eu-west-1\nus-east-1"}


def pam(**entries: str) -> PamConfiguration:
    """A PAM Configuration with these entries."""
    fields = [Field("secret", label, (text,)) for label, text in entries.items()]
    found = pam_configuration(record("PAM", "AWS", *fields, kind="pamAwsConfiguration"))
    assert found is not None
    return found


def target(entries: dict[str, str] | None = None, **keys: object) -> AwsTarget:
    """The target of a configuration that gives neither role nor regions unless it is told."""
    given = configuration(**({"sync_identity": None, "regions": []} | keys))
    return Aws().target(given, pam(**entries) if entries is not None else None, SOURCE)


def test_role_and_regions_come_from_the_configuration_or_the_pam_configuration() -> None:
    found = target(KEYS)
    assert (found.role, found.access_key_id, found.regions) == (None, "AKIA", ("eu-west-1", "us-east-1"))
    assert found.locations == ("aws:AKIA:eu-west-1", "aws:AKIA:us-east-1")
    found = target(KEYS, sync_identity=ROLE, regions=["us-east-2"])
    assert (found.role, found.regions, found.locations) == (ROLE, ("us-east-2",), ("aws:123456789012:us-east-2",))
    assert "canary" not in repr(found)


@pytest.mark.parametrize("role", [ROLE, "arn:aws-us-gov:iam::123456789012:role/teams/payments/keeper-uss"])
def test_a_role_needs_no_keys(role: str) -> None:
    found = target({}, sync_identity=role, regions=["us-gov-west-1"])
    assert found.access_key_id is None


@pytest.mark.parametrize(
    ("entries", "keys", "text"),
    [
        ({}, {"regions": ["us-east-1"]}, "key `syncIdentity`: is missing"),
        (None, {"regions": ["us-east-1"]}, "ambientCredentials: true"),
        (KEYS, {"sync_identity": "keeper-uss"}, 'found "keeper-uss"'),
        (KEYS, {"sync_identity": "arn:aws:iam::1234:role/x"}, "role's ARN"),
        (KEYS, {"sync_identity": "arn:aws:sts::123456789012:assumed-role/x/y"}, "role's ARN"),
        ({"Access Key Id": "A"}, {}, "has an Access Key Id and no Access Secret Key"),
        ({"Access Secret Key": "canary"}, {}, "has an Access Secret Key and no Access Key Id"),
        ({}, {"sync_identity": ROLE}, "key `regions`: is empty"),
        (KEYS, {"regions": ["US East"]}, 'found "US East"'),
        (KEYS, {"regions": ["us-east-1", "us-east-1"]}, "more than once"),
        (KEYS, {"tags": {"source": "x"}}, "the sync itself sets"),
        (KEYS, {"tags": {"aws:x": "x"}}, 'tag key "aws:x"'),
        (KEYS, {"tags": {"a" * 129: "x"}}, "1 to 128"),
        (KEYS, {"tags": {"a": "x" * 257}}, "at most 256"),
        (KEYS, {"tags": {"a": "x#"}}, 'value of the tag "a"'),
        (KEYS, {"tags": {f"k{number}": "" for number in range(45)}}, "Give 44 at most"),
    ],
)
def test_a_mistake_is_told_with_file_configuration_key_and_mend(
    entries: dict[str, str] | None, keys: dict[str, object], text: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        target(entries, **keys)
    assert str(caught.value).startswith(f'{SOURCE}: uss:configurations, configuration "aws", key `')
    assert text in str(caught.value)
    assert "canary" not in str(caught.value)


def test_what_the_state_holds_is_grouped_by_record() -> None:
    def resource(kind: str, logical: str, **outputs: object) -> StateResource:
        return StateResource(f"urn::{kind}::{logical}", kind, logical, outputs)

    found = Aws().held(
        [
            resource("pulumi:providers:aws", "aws"),
            resource(SECRET, "aws/R2", name="two", tags=None),
            resource(SECRET, "aws/R1", name="one", tags={"a": "b"}),
            resource(VERSION, "aws/R1", secretString="v1"),
            resource(SECRET, "aws/R1@eu-west-1", name="one", tags={}),
            resource(VERSION, "aws/R1@eu-west-1", secretString="v2"),
            resource("aws:s3/bucket:Bucket", "aws/R3"),
            resource(SECRET, "somebody-elses", name="x"),
        ]
    )
    assert [(secret.record_uid, secret.name, secret.values) for secret in found] == [
        ("R1", "one", ("v1", "v2")),
        ("R2", "two", ()),
    ]
    assert found[0].tags == ({"a": "b"}, {})
    assert "v1" not in repr(found)


@pytest.mark.parametrize(
    "name", [LogicalName("prod", "R-1_x"), LogicalName("a.b-c", "R", "eu-west-1"), LogicalName("prod", "R=@=")]
)
def test_logical_names_are_read_back_as_they_were_written(name: LogicalName) -> None:
    if "@" not in name.record_uid:
        assert LogicalName.parse(str(name)) == name


@pytest.mark.parametrize("text", ["prod", "", "prod/"])
def test_other_names_are_none_of_ours(text: str) -> None:
    assert LogicalName.parse(text) is None
    assert held("R1", "a").name == "a"
