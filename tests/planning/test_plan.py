"""What holds for every plan, whatever the vault, the state and the configurations."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import FOLDER, OWNERSHIP, SOURCE, record, snapshot
from tests.planning.test_build import configurations, names, planned, records, states
from uss.clouds import CLOUDS
from uss.clouds.interface import HeldSecret
from uss.config import Configuration
from uss.keeper import Record
from uss.planning.build import Holdings, build_plan
from uss.planning.plan import ConfigurationPlan, Mode


@given(records, states, configurations, st.randoms())
@settings(max_examples=200, deadline=None)
def test_the_order_in_the_vault_and_of_the_linked_folders_does_not_matter(
    entries: list[Record], state: list[HeldSecret], listed: list[Configuration], order: random.Random
) -> None:
    vault = snapshot(record("anchor", "bad: anchor", folders=[FOLDER, "OTHER"]), *entries)
    holdings = Holdings({name: tuple(s for s in state if s.configuration == name) for name in names})
    turned = [entry.model_copy(update={"folders": entry.folders[::-1]}) for entry in listed]
    plans = [
        build_plan(some, replace(vault, records=order_of(vault.records)), holdings, CLOUDS, OWNERSHIP, SOURCE)
        for some, order_of in ((listed, tuple), (turned, lambda found: tuple(order.sample(found, len(found)))))
    ]
    first, second = (
        [(part.secrets, part.refusals, part.kept, part.deletions, part.held) for part in result.configurations]
        for result in plans
    )
    assert first == second


@given(records, states, configurations)
@settings(max_examples=200, deadline=None)
def test_a_planned_name_is_free_of_every_other_secret_that_the_run_knows(
    entries: list[Record], state: list[HeldSecret], listed: list[Configuration]
) -> None:
    parts = [part for part in planned(entries, state, listed).configurations if part.target]
    known = {
        (location, secret.name, part.name, secret.record_uid)
        for part in parts
        for secret in (*part.kept, *part.deletions)
        for location in (part.target.locations if part.target else ())
    }
    for part in parts:
        for secret in part.secrets:
            for location in part.target.locations if part.target else ():
                assert not [entry for entry in known if entry[:2] == (location, secret.name)]


@given(records, states, configurations)
@settings(max_examples=200, deadline=None)
def test_every_record_of_the_linked_folders_is_planned_or_refused_and_only_one_of_these(
    entries: list[Record], state: list[HeldSecret], listed: list[Configuration]
) -> None:
    for part in planned(entries, state, listed).configurations:
        linked = [entry.uid for entry in entries if entry.folders & set(part.configuration.folders)]
        told = [secret.record_uid for secret in part.secrets] + [refusal.record_uid for refusal in part.refusals]
        assert sorted(uid for uid in told if not uid.startswith("anchor")) == (
            sorted(linked) if part.configuration.enabled else []
        )


@given(records, states, configurations)
@settings(max_examples=200, deadline=None)
def test_a_disabled_configuration_changes_nothing_of_its_own_nor_of_the_others(
    entries: list[Record], state: list[HeldSecret], listed: list[Configuration]
) -> None:
    result = planned(entries, state, listed)
    for part in result.configurations:
        if part.configuration.enabled:
            continue
        mine = tuple(sorted((s for s in state if s.configuration == part.name), key=lambda s: s.record_uid))
        assert part == ConfigurationPlan(part.configuration, Mode.DISABLED, None, None, kept=mine, held=len(mine))
        assert part.name not in {removed.name for removed in result.removed}
        others = [entry for entry in listed if entry.name != part.name]
        if others:
            rest = planned(entries, state, others)
            assert rest.configurations == tuple(other for other in result.configurations if other is not part)


@given(records, states, configurations)
@settings(max_examples=200, deadline=None)
def test_a_configuration_held_back_is_planned_like_one_that_syncs(
    entries: list[Record], state: list[HeldSecret], listed: list[Configuration]
) -> None:
    turned = [entry.model_copy(update={"dry_run": not entry.dry_run}) for entry in listed]
    for one, other in zip(
        planned(entries, state, listed).configurations, planned(entries, state, turned).configurations, strict=True
    ):
        if one.mode is not Mode.DISABLED:
            assert {one.mode, other.mode} == {Mode.SYNC, Mode.HOLD}
        assert (one.secrets, one.refusals, one.kept, one.deletions) == (
            other.secrets,
            other.refusals,
            other.kept,
            other.deletions,
        )
