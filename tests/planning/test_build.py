"""The plan: what happens to each record, for every vault, state and configuration."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import ARN, FOLDER, OWNERSHIP, configuration, held, only, plan, record
from tests.leaks import leaks
from uss.clouds.interface import HeldSecret
from uss.config import Configuration
from uss.errors import ConfigurationError
from uss.keeper import Field, Record
from uss.planning import candidates
from uss.planning.plan import Change, ConfigurationPlan, Mode, Plan, Reason
from uss.records.payload import PayloadFault
from uss.report.diagnostics import summary

TAGS_45 = json.dumps({f"t{number}": "" for number in range(45)})
UIDS = [f"R{number}" for number in range(6)]
TITLES = ["a", "b", "c", "bad: title", ""]
BIG = Field("secret", "value", ("x" * 65_537,))


def changes(part: ConfigurationPlan) -> dict[str, Change]:
    """What happens to each record."""
    return {secret.record_uid: secret.change for secret in part.secrets}


def reasons(part: ConfigurationPlan) -> dict[str, Reason]:
    """Why records are refused."""
    return {refusal.record_uid: refusal.reason for refusal in part.refusals}


def uids(secrets: tuple[HeldSecret, ...]) -> list[str]:
    """Whose the secrets are."""
    return [secret.record_uid for secret in secrets]


def test_new_changed_retitled_and_unchanged_records() -> None:
    records = [record("R1", "new"), record("R2", "changed"), record("R3", "retitled"), record("R4", "same")]
    state = [held("R2", "changed", "old"), held("R3", "old-title"), held("R4", "same")]
    part = only(plan(records, state))
    assert changes(part) == {
        "R1": Change.CREATE,
        "R2": Change.VALUE,
        "R3": Change.RENAME,
        "R4": Change.UNCHANGED,
    }
    assert next(secret for secret in part.secrets if secret.record_uid == "R3").former_name == "old-title"


def test_other_tags_are_a_change_of_their_own() -> None:
    part = only(plan([record("R1", "same")], [held("R1", "same")], configuration(tags={"team": "a"})))
    assert changes(part) == {"R1": Change.TAGS}


def test_a_record_that_left_is_deleted() -> None:
    part = only(plan([record("R1", "a")], [held("R1", "a"), held("R2", "b")]))
    assert uids(part.deletions) == ["R2"]
    assert part.held == 2


def test_a_record_made_anew_takes_over() -> None:
    part = only(plan([record("R2", "a")], [held("R1", "a")]))
    assert changes(part) == {"R2": Change.TAKE_OVER}
    assert part.secrets[0].held is not None
    assert part.secrets[0].held.record_uid == "R1"
    assert part.deletions == ()


@pytest.mark.parametrize(
    ("records", "state", "refused", "kept"),
    [
        pytest.param(
            [record("R1", "b"), record("R2", "a")],
            [held("R1", "a"), held("R2", "b")],
            ["R1", "R2"],
            ["R1", "R2"],
            id="two names swapped",
        ),
        pytest.param(
            [record("R1", "b"), record("R2", "c")],
            [held("R1", "a"), held("R2", "b")],
            ["R1"],
            ["R1"],
            id="a name passed on",
        ),
        pytest.param(
            [record("R1", "b")], [held("R1", "a"), held("R2", "b")], ["R1"], ["R1"], id="a name of one that left"
        ),
        pytest.param(
            [record("R1", "a", BIG), record("R2", "a")], [held("R1", "a")], ["R1", "R2"], ["R1"], id="a kept name"
        ),
    ],
)
def test_a_name_that_another_secret_still_has_is_refused(
    records: list[Record], state: list[HeldSecret], refused: list[str], kept: list[str]
) -> None:
    part = only(plan(records, state))
    assert sorted(reasons(part)) == refused
    assert Reason.NAME_IN_USE in reasons(part).values()
    assert uids(part.kept) == kept


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record("R1", "bad: title"), Reason.ILLEGAL_NAME),
        (record("R1", ""), Reason.ILLEGAL_NAME),
        (record("R1", "a", Field("login", "", ("",))), Reason.EMPTY),
        (record("R1", "a", Field("login", "", ("\ud800",))), Reason.NOT_TEXT),
        (record("R1", "a", BIG), Reason.TOO_LARGE),
        (record("R1", "a", kind="pamAwsConfiguration"), Reason.CREDENTIALS),
    ],
)
def test_a_record_that_cannot_be_synced_is_refused_and_keeps_its_secret(bad: Record, reason: Reason) -> None:
    part = only(plan([bad, record("R2", "b")], [held("R1", "a")]))
    assert reasons(part) == {"R1": reason}
    assert part.refusals[0].found
    assert part.refusals[0].mend
    assert uids(part.kept) == ["R1"]
    assert part.deletions == ()
    assert changes(part) == {"R2": Change.CREATE}


def test_the_limit_is_in_bytes() -> None:
    fits = record("R1", "a", Field("secret", "value", ("é" * 32_768,)))
    too_large = record("R2", "b", Field("secret", "value", ("é" * 32_768 + "x",)))
    part = only(plan([fits, too_large]))
    assert changes(part) == {"R1": Change.CREATE}
    assert part.refusals[0].found == "the value has 65,537 bytes; AWS Secrets Manager takes 65,536"


def test_two_records_of_one_name_are_both_refused_with_each_others_titles() -> None:
    part = only(plan([record("R1", "my secret"), record("R2", "my-secret"), record("R3", "other")]))
    assert reasons(part) == {"R1": Reason.NAME_CLASH, "R2": Reason.NAME_CLASH}
    assert part.refusals[0].found == 'the same name as "my-secret" (R2, configuration aws)'
    assert part.refusals[1].found == 'the same name as "my secret" (R1, configuration aws)'


def test_records_with_structured_values_can_clash_too() -> None:
    host = Field("host", "", ({"hostName": "h"}, [1]))
    assert set(reasons(only(plan([record("R1", "a", host), record("R2", "a", host)])))) == {"R1", "R2"}


def test_names_clash_across_configurations_of_one_target_only() -> None:
    same = [configuration(name="one"), configuration(name="two")]
    assert [reasons(part) for part in plan([record()], (), *same).configurations] == [{"R1": Reason.NAME_CLASH}] * 2
    for other in (
        {"regions": ["eu-west-1"]},
        {"name_prefix": "p/"},
        {"sync_identity": "arn:aws:iam::999999999999:role/keeper-uss"},
    ):
        apart = [configuration(name="one"), configuration(name="two", **other)]
        assert all(changes(part) for part in plan([record()], (), *apart).configurations)


def test_a_disabled_configuration_reads_nothing_and_keeps_everything() -> None:
    part = only(plan([], [held("R1", "a")], configuration(enabled=False, folders=["nowhere"])))
    assert part.mode is Mode.DISABLED
    assert uids(part.kept) == ["R1"]
    assert (part.secrets, part.deletions, part.refusals) == ((), (), ())


def test_a_removed_configuration_is_a_deletion() -> None:
    planned = plan([record()], [held("R9", "x", owner="gone")])
    assert [(removed.name, uids(removed.deletions)) for removed in planned.removed] == [("gone", ["R9"])]


def test_secrets_to_retain_are_let_go_only_once_the_state_knows_it() -> None:
    retain = configuration(on_delete="retain")
    first = only(plan([record("R1", "a")], [held("R2", "b")], retain))
    assert (uids(first.kept), first.deletions) == (["R2"], ())
    then = only(plan([record("R1", "a")], [held("R2", "b")], retain, retaining=["aws"]))
    assert (then.kept, uids(then.deletions)) == ((), ["R2"])


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"folders": ["nowhere"]}, "key `folders[0]`: the application sees no folder"),
        ({"pam_configuration": "X"}, "key `pamConfiguration`: the application sees no record"),
        ({"pam_configuration": "R1"}, "is of type"),
        ({"type": None}, "key `type`"),
        ({"type": "gcp"}, "key `regions`: is a key for aws, and this configuration is one for gcp"),
    ],
)
def test_a_reference_that_leads_nowhere_is_an_error(keys: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigurationError, match="configuration") as caught:
        plan([record()], (), configuration(**keys))
    assert text in str(caught.value)


records = st.lists(
    st.builds(
        record,
        st.sampled_from(UIDS),
        st.sampled_from(TITLES),
        st.sampled_from([Field("password", "", ("p",)), Field("password", "", ("q",)), Field("login", "", ()), BIG]),
        folders=st.sets(st.sampled_from([FOLDER, "OTHER"]), min_size=1),
    ),
    max_size=6,
    unique_by=lambda entry: entry.uid,
)
names = ["one", "two", "three"]
states = st.lists(
    st.builds(
        held,
        st.sampled_from(UIDS),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(['{"password":"p"}', "old"]),
        owner=st.sampled_from(names),
    ),
    max_size=8,
    unique_by=(lambda entry: (entry.configuration, entry.record_uid), lambda entry: (entry.configuration, entry.name)),
)
configurations = st.lists(
    st.builds(
        configuration,
        name=st.sampled_from(names),
        enabled=st.booleans(),
        dry_run=st.booleans(),
        folders=st.sampled_from([[FOLDER], ["OTHER"], [FOLDER, "OTHER"]]),
        regions=st.sampled_from([["us-east-1"], ["eu-west-1"], ["us-east-1", "eu-west-1"]]),
        name_prefix=st.sampled_from(["", "", "p-"]),
        on_delete=st.sampled_from(["delete", "retain"]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda entry: entry.name,
)


def planned(entries: list[Record], state: list[HeldSecret], listed: list[Configuration]) -> Plan:
    """A plan over a vault that always has both folders."""
    anchor = [record(f"anchor-{folder}", "bad: anchor", folders=[folder]) for folder in (FOLDER, "OTHER")]
    return plan([*entries, *anchor], state, *listed)


@given(records, states, configurations)
@settings(max_examples=200, deadline=None)
def test_no_two_secrets_ever_share_a_name_in_one_place(
    entries: list[Record], state: list[HeldSecret], listed: list[Configuration]
) -> None:
    places = Counter(
        (location, secret.name)
        for part in planned(entries, state, listed).configurations
        for secret in part.secrets
        for location in (part.target.locations if part.target else ())
    )
    assert all(count == 1 for count in places.values())


@given(records, states, configurations)
@settings(max_examples=200, deadline=None)
def test_every_held_secret_is_planned_kept_taken_over_or_deleted_and_only_one_of_these(
    entries: list[Record], state: list[HeldSecret], listed: list[Configuration]
) -> None:
    result = planned(entries, state, listed)
    for part in result.configurations:
        mine = sorted(secret.record_uid for secret in state if secret.configuration == part.name)
        present = {secret.record_uid for secret in part.secrets} & set(mine)
        taken = [s.held.record_uid for s in part.secrets if s.change is Change.TAKE_OVER and s.held]
        assert sorted([*present, *taken, *uids(part.kept), *uids(part.deletions)]) == mine
        refused = {refusal.record_uid for refusal in part.refusals}
        assert refused.isdisjoint(uids(part.deletions))
        assert refused.isdisjoint(taken)
        if part.mode is Mode.DISABLED:
            assert uids(part.kept) == mine
    removed = [(gone.name, uid) for gone in result.removed for uid in uids(gone.deletions)]
    known = {entry.name for entry in listed}
    assert sorted(removed) == sorted((s.configuration, s.record_uid) for s in state if s.configuration not in known)


@given(records, states, configurations, st.randoms())
@settings(max_examples=200, deadline=None)
def test_the_order_of_records_state_and_configurations_does_not_matter(
    entries: list[Record], state: list[HeldSecret], listed: list[Configuration], order: random.Random
) -> None:
    first = planned(entries, state, listed)
    for sequence in (entries, state, listed):
        order.shuffle(sequence)
    second = planned(entries, state, listed)
    assert sorted(first.configurations, key=lambda part: part.name) == sorted(
        second.configurations, key=lambda part: part.name
    )
    assert first.removed == second.removed


def test_a_plan_that_was_applied_plans_nothing_more() -> None:
    entries = [record("R1", "a"), record("R2", "b", Field("secret", "value", ("v",))), record("R3", "c: bad")]
    state = [
        held(secret.record_uid, secret.name, secret.payload.value, tags=secret.tags)
        for secret in only(plan(entries)).secrets
    ]
    again = only(plan(entries, state))
    assert changes(again) == {"R1": Change.UNCHANGED, "R2": Change.UNCHANGED}
    assert (again.kept, again.deletions) == ((), ())


def test_a_name_in_use_in_another_configuration_is_refused_with_whose_it_is() -> None:
    listed = [configuration(name="one"), configuration(name="two", folders=["OTHER"])]
    entries = [record("R1", "a"), record("R2", "b", folders=["OTHER"])]
    one, _ = plan(entries, [held("R9", "a", owner="two")], *listed).configurations
    assert reasons(one) == {"R1": Reason.NAME_IN_USE}
    assert one.refusals[0].found == "the secret of record R9 (configuration two) still has this name"


def test_a_record_shown_in_two_linked_folders_is_one_secret() -> None:
    part = only(plan([record("R1", "a", folders=[FOLDER, "OTHER"])], (), configuration(folders=[FOLDER, "OTHER"])))
    assert changes(part) == {"R1": Change.CREATE}


def test_a_record_outside_of_the_linked_folders_is_not_there() -> None:
    part = only(plan([record("R1", "a", folders=["OTHER"]), record("R2", "b", folders=[])]))
    assert (part.secrets, part.refusals) == ((), ())


def test_a_copy_with_another_or_an_unknown_value_is_a_new_value() -> None:
    whole = held("R1", "a")
    for values in ((None,), (), (whole.values[0], "old"), (whole.values[0], None)):
        part = only(plan([record("R1", "a")], [replace(whole, values=values)]))
        assert changes(part) == {"R1": Change.VALUE}


def test_the_syncs_own_tags_come_with_the_configurations() -> None:
    (secret,) = only(plan([record("R1", "a")], (), configuration(tags={"team": "payments"}))).secrets
    assert secret.tags == {
        "team": "payments",
        "managed-by": "keeper-uss",
        "source": "keeper",
        "content-type": "application/json",
        "keeper-record-uid": "R1",
        "pulumi-project": "uss",
        "pulumi-stack": "test",
    }


def test_a_configuration_for_another_cloud_than_its_pam_configuration_is_an_error() -> None:
    pam = record("PAM", "Pam", kind="pamAwsConfiguration")
    assert only(plan([pam], (), configuration(type=None, pam_configuration="PAM", folders=[FOLDER]))).target
    with pytest.raises(ConfigurationError, match='found azure, but the PAM Configuration "Pam" is one for aws'):
        plan([pam], (), configuration(type="azure", pam_configuration="PAM"))


def imported(**texts: str) -> list[Field]:
    """A password, and reserved fields: the source of a secret in AWS unless another one is given."""
    told = [Field("text", f"uss:{key}", (text,)) for key, text in ({"source": ARN} | texts).items()]
    return [Field("password", "", ("p",)), *told]


def test_an_imported_secret_keeps_its_name_and_its_tags_below_the_configurations() -> None:
    tags = '{"team":"old","owner":"x","managed-by":"hand","AWS:cloudformation:stack-id":"s"}'
    entry = record("R1", "a title", *imported(name="p-of/its_own", tags=tags))
    (secret,) = only(plan([entry], (), configuration(name_prefix="p-", tags={"team": "new"}))).secrets
    assert secret.name == "p-of/its_own"
    assert secret.tags == {"owner": "x", "team": "new"} | OWNERSHIP.tags("R1", "application/json")


def test_what_another_cloud_held_gives_neither_name_nor_tags() -> None:
    entry = record("R1", "a", *imported(source="projects/p/secrets/n", name="n", tags='{"labels/team":"x"}'))
    (secret,) = only(plan([entry])).secrets
    assert (secret.name, secret.tags) == ("a", OWNERSHIP.tags("R1", "application/json"))


def test_a_name_without_a_source_is_for_every_cloud() -> None:
    (secret,) = only(plan([record("R1", "bad: title", *imported(source="", name="n"))])).secrets
    assert secret.name == "n"


def test_a_retitled_record_with_a_name_of_its_own_is_unchanged() -> None:
    part = only(plan([record("R1", "another title", *imported(name="n"))], [held("R1", "n")]))
    assert changes(part) == {"R1": Change.UNCHANGED}


@pytest.mark.parametrize(
    ("texts", "reason", "found"),
    [
        ({"name": "n"}, Reason.ILLEGAL_NAME, 'uss:name: the name does not start with "p-"'),
        ({"name": "p-a b"}, Reason.ILLEGAL_NAME, "uss:name: the name would hold U+0020"),
        ({"source": "canary"}, Reason.RESERVED_FIELD, "uss:source is no ARN"),
        ({"tags": "canary"}, Reason.RESERVED_FIELD, "uss:tags is not a JSON object of texts"),
        ({"tags": '{"a":"canary#"}'}, Reason.RESERVED_FIELD, 'uss:tags: AWS takes no such value of the tag "a"'),
        ({"tags": TAGS_45}, Reason.RESERVED_FIELD, "uss:tags: 45 tags; AWS takes 50"),
        ({"format": "canary"}, Reason.RESERVED_FIELD, "its field uss:format is none that `uss import` writes"),
        ({"format": '{"kind":"lines","between":"\\n","colon":"="}', "name": "p-x"}, None, ""),
    ],
)
def test_a_reserved_field_that_cannot_be_followed_is_a_refusal(
    texts: dict[str, str], reason: Reason | None, found: str
) -> None:
    part = only(plan([record("R1", "a", *imported(**texts))], (), configuration(name_prefix="p-")))
    assert reasons(part) == ({"R1": reason} if reason else {})
    for refusal in part.refusals:
        assert found in refusal.found
        assert "that field" in refusal.mend or "field uss:tags" in refusal.mend
        assert leaks(str(refusal), "canary") == {}


def test_every_fault_of_a_payload_has_a_mend() -> None:
    assert set(candidates._PAYLOAD_MENDS) == set(PayloadFault)


def test_copies_in_other_regions_that_change_are_told() -> None:
    part = only(plan([record("R1", "n")], [held("R1", "n")], configuration(regions=["us-east-1", "eu-west-1"])))
    assert changes(part) == {"R1": Change.COPIES}
    assert part.secrets[0].replacement == "replicas in no region, from now on in eu-west-1"
    assert "copies of n" in summary(Plan("stacks/Pulumi.test.yaml", (part,)))


@pytest.mark.parametrize(
    ("regions", "mode", "before", "told"),
    [
        (
            ["us-east-1"],
            "independent",
            {"copies": ["eu-west-1"]},
            "independent copies in eu-west-1, from now on in none",
        ),
        (["us-east-1"], "replicate", {"replicas": ["eu-west-1"]}, "replicas in eu-west-1, from now on in none"),
        (
            ["us-east-1", "eu-west-1"],
            "independent",
            {"replicas": ["eu-west-1"]},
            "replicas in eu-west-1, from now on independent copies in eu-west-1",
        ),
        (["us-east-1", "eu-west-1"], "independent", {"copies": ["eu-west-1"]}, None),
        (["us-east-1", "eu-west-1"], "replicate", {"replicas": ["eu-west-1"]}, None),
        (["us-east-1"], "independent", {}, None),
    ],
)
def test_copies_are_told_whoever_makes_them(
    regions: list[str], mode: str, before: dict[str, list[str]], told: str | None
) -> None:
    state = held("R1", "n", **before)  # type: ignore[arg-type]  # mypy takes the lists for any of the parameters
    part = only(plan([record("R1", "n")], [state], configuration(regions=regions, region_mode=mode)))
    assert part.secrets[0].change is (Change.COPIES if told else Change.UNCHANGED)
    assert part.secrets[0].replacement == told
    gone = {region for listed in before.values() for region in listed} - set(regions)
    assert {region for loss in part.losses for region in loss.regions} == gone
