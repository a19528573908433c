"""Which secrets the filters mean, cloud by cloud."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uss.config import CloudType
from uss.importer.readers.filters import Filters
from uss.importer.readers.secrets import Listed

NAMES = st.text("aAbB-/_", max_size=6)
PARTS = st.text("aAbB-", max_size=2)
CASED = st.sampled_from([CloudType.AWS, CloudType.GCP])
CLOUDS = st.sampled_from(CloudType)


def listed(name: str = "Prod-db", **tags: str) -> Listed:
    return Listed(name, source=name, tags={key.replace("__", "/"): value for key, value in tags.items()})


@given(NAMES, CLOUDS)
def test_no_filter_means_every_secret(name: str, cloud: CloudType) -> None:
    assert Filters().match(listed(name), cloud)


@given(NAMES, PARTS, PARTS, PARTS, CASED)
def test_parts_of_names_all_hold_with_case(name: str, start: str, end: str, part: str, cloud: CloudType) -> None:
    filters = Filters(starts_with=start, ends_with=end, contains=part)
    assert filters.match(listed(name), cloud) == (name.startswith(start) and name.endswith(end) and part in name)
    assert Filters(name=part).match(listed(name), cloud) == (name == part)


@given(NAMES, PARTS, PARTS, PARTS)
def test_azure_compares_names_without_case(name: str, start: str, end: str, part: str) -> None:
    filters = Filters(name=name.swapcase(), starts_with=start, ends_with=end, contains=part)
    folded = Filters(name=name.lower(), starts_with=start.lower(), ends_with=end.lower(), contains=part.lower())
    assert filters.match(listed(name), CloudType.AZURE) == folded.match(listed(name.lower()), CloudType.AWS)


@given(NAMES, NAMES, CASED)
def test_a_name_is_the_whole_name(name: str, other: str, cloud: CloudType) -> None:
    assert Filters(name=name).match(listed(other), cloud) == (name == other)


@pytest.mark.parametrize("cloud", [CloudType.AWS, CloudType.AZURE])
def test_every_tag_must_be_there_with_its_value(cloud: CloudType) -> None:
    secret = listed(team="payments", stage="prod")
    assert Filters(tags={"team": "payments", "stage": "prod"}).match(secret, cloud)
    assert not Filters(tags={"team": "payments", "stage": "test"}).match(secret, cloud)
    assert not Filters(tags={"Team": "payments"}).match(secret, cloud)
    assert not Filters(tags={"missing": ""}).match(secret, cloud)
    assert not Filters(tags={"team": "payments"}, starts_with="other").match(secret, cloud)


def test_gcps_tags_are_labels_or_annotations() -> None:
    secret = listed(labels__team="payments", annotations__team="Payments", annotations__owner="Jo")
    for tags in ({"team": "payments"}, {"team": "Payments"}, {"owner": "Jo", "team": "payments"}):
        assert Filters(tags=tags).match(secret, CloudType.GCP)
    assert not Filters(tags={"team": "other"}).match(secret, CloudType.GCP)
    assert not Filters(tags={"labels/team": "payments"}).match(secret, CloudType.GCP)
