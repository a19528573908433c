"""AWS's pure parts: where a configuration's secrets go and as whom, and what the state holds."""

from __future__ import annotations

import pytest

from tests.builders import ROLE, SOURCE, configuration, held, record
from tests.leaks import leaks
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
    assert leaks(repr(found), "canary") == {}


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
        (KEYS, {"sync_identity": f"{ROLE}\n"}, "role's ARN"),
        (KEYS, {"sync_identity": f" {ROLE}"}, "role's ARN"),
        (KEYS, {"sync_identity": "arn:aws:iam::123456789012:user/x"}, "role's ARN"),
        (KEYS, {"sync_identity": "arn:aws:iam::123456789012:role/"}, "role's ARN"),
        (KEYS, {"sync_identity": "123456789012"}, "role's ARN"),
        (KEYS, {"regions": ["us-east-1\n"]}, 'found "us-east-1\\n"'),
        (KEYS, {"regions": ["us-east-1a"]}, 'found "us-east-1a"'),
        (KEYS, {"regions": ["US-EAST-1"]}, 'found "US-EAST-1"'),
        (KEYS, {"regions": ["us-east-\u0661"]}, "Use names of AWS regions"),
        (KEYS | {"Region Names": "us-east-1\nhere"}, {}, 'found "here"'),
        (KEYS, {"regions": ["us-east-1", "us-east-1"]}, "more than once"),
        (KEYS, {"tags": {"source": "x"}}, "the sync itself sets"),
        (KEYS, {"tags": {"aws:x": "x"}}, 'tag key "aws:x"'),
        (KEYS, {"tags": {"a" * 129: "x"}}, "1 to 128"),
        (KEYS, {"tags": {"a": "x" * 257}}, "at most 256"),
        (KEYS, {"tags": {"AWS:x": "x"}}, 'tag key "AWS:x"'),
        (KEYS, {"tags": {"": "x"}}, 'tag key ""'),
        (KEYS, {"tags": {"a\n": "x"}}, 'tag key "a\\n"'),
        (KEYS, {"tags": {"a": "x\n"}}, 'value of the tag "a"'),
        (KEYS, {"tags": {"a": "x\ty"}}, 'value of the tag "a"'),
        (KEYS, {"tags": {"a": "x\x85y"}}, 'value of the tag "a"'),
        (KEYS, {"tags": {"managed-by": "me"}}, "the sync itself sets"),
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
    assert leaks(str(caught.value), "canary") == {}


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


@pytest.mark.parametrize(
    "region",
    [
        "us-east-1",
        "ap-southeast-7",
        "mx-central-1",
        "cn-northwest-1",
        "us-gov-west-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
        "eusc-de-east-1",
    ],
)
def test_regions_of_every_partition_are_taken(region: str) -> None:
    assert target(KEYS, regions=[region]).regions == (region,)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso-b", "aws-eusc"])
def test_roles_of_every_partition_are_taken(partition: str) -> None:
    role = f"arn:{partition}:iam::123456789012:role/service/keeper_uss+=,.@-"
    found = target({}, sync_identity=role, regions=["us-east-1"])
    assert (found.role, found.locations) == (role, ("aws:123456789012:us-east-1",))


@pytest.mark.parametrize(
    "tags",
    [
        {"a": ""},
        {"a b": "c d"},
        {"a\u00a0b": "Größe 日本 x_1+-=.:/@"},
        {"k" * 128: "v" * 256},
        {f"k{number}": "" for number in range(44)},
        {"Source": "another case is another tag"},
    ],
)
def test_tags_that_aws_takes(tags: dict[str, str]) -> None:
    assert target(KEYS, tags=tags)


def test_the_machines_own_identity_is_used_only_when_it_is_asked_for() -> None:
    found = target(None, regions=["us-east-1"], ambient_credentials=True)
    assert (found.role, found.access_key_id, found.secret_access_key) == (None, None, None)
    assert found.locations == ("aws:ambient:us-east-1",)
    assert target(KEYS, ambient_credentials=True).access_key_id == "AKIA"


def test_two_configurations_of_one_account_and_region_share_a_location_whatever_the_role() -> None:
    one = target({}, sync_identity=ROLE, regions=["us-east-1", "eu-west-1"])
    other = target({}, sync_identity=f"{ROLE}-2", regions=["eu-west-1"])
    elsewhere = target({}, sync_identity=ROLE.replace("1234", "9234"), regions=["eu-west-1"])
    assert set(one.locations) & set(other.locations) == {"aws:123456789012:eu-west-1"}
    assert set(one.locations).isdisjoint(elsewhere.locations)


def test_half_of_a_secret_in_the_state_is_held_with_an_unknown_value() -> None:
    secret = StateResource("urn:s", SECRET, "aws/R1", {"name": "a", "tags": {}})
    (found,) = Aws().held([secret])
    assert (found.name, found.values) == ("a", ())


def test_a_copy_without_its_version_makes_the_value_unknown() -> None:
    def resource(kind: str, logical: str, **outputs: object) -> StateResource:
        return StateResource(f"urn::{kind}::{logical}", kind, logical, outputs)

    (found,) = Aws().held(
        [
            resource(SECRET, "aws/R1", name="a"),
            resource(VERSION, "aws/R1", secretString="v"),
            resource(SECRET, "aws/R1@eu-west-1", name="a"),
        ]
    )
    assert found.values == ()


def test_secrets_of_configurations_whose_names_are_alike_stay_apart() -> None:
    entries = [held("R1", "a", owner=owner) for owner in ("aws", "aws2", "aw", "aws.x")]
    resources = [resource for entry in entries for resource in entry.resources]
    found = [(secret.configuration, secret.record_uid) for secret in Aws().held(reversed(resources))]
    assert found == [("aw", "R1"), ("aws", "R1"), ("aws.x", "R1"), ("aws2", "R1")]
