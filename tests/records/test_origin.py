"""What a record tells of its origin: read as it was written, or refused in words that hold no value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import ARN, record
from uss.config import CloudType
from uss.keeper import Field
from uss.records.origin import Label, Origin, OriginFault, origin_of, reserved_text

VAULT = "https://kv.vault.azure.net/secrets/a"
GOOGLE = "projects/p/secrets/a"


def origin(**texts: str) -> Origin | OriginFault:
    """The origin of a record with these fields."""
    return origin_of(record("R1", "a", *(Field("text", f"uss:{label}", (text,)) for label, text in texts.items())))


def test_a_record_that_was_not_imported_has_an_empty_origin() -> None:
    assert origin_of(record()) == Origin()
    fault = origin_of(record("R1", "a", Field("text", "uss:Name", ("x",))))
    assert isinstance(fault, OriginFault)
    assert (fault.label, fault.text.startswith("is none of uss:description, ")) == ('"uss:Name"', True)


@pytest.mark.parametrize(
    ("source", "cloud"), [(ARN, CloudType.AWS), (VAULT, CloudType.AZURE), (GOOGLE, CloudType.GCP), ("", None)]
)
def test_the_sources_form_tells_the_cloud(source: str, cloud: CloudType | None) -> None:
    found = origin(source=source, name="n", description="d")
    assert found == Origin(source, cloud, "n", {}, "d")


def test_name_and_tags_are_for_the_sources_cloud() -> None:
    found = origin(source=ARN, name="n", tags='{"team":"a"}')
    assert isinstance(found, Origin)
    assert (found.name_in(CloudType.AWS), found.tags_in(CloudType.AWS)) == ("n", {"team": "a"})
    assert (found.name_in(CloudType.GCP), found.tags_in(CloudType.GCP)) == (None, {})


def test_a_name_without_a_source_is_for_every_cloud() -> None:
    found = origin(name="n")
    assert isinstance(found, Origin)
    assert [found.name_in(cloud) for cloud in CloudType] == ["n", "n", "n"]
    assert [found.tags_in(cloud) for cloud in CloudType] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        ({"source": "canary"}, "uss:source is no ARN, no https:// address and no projects/.../secrets/... name"),
        ({"source": ARN, "tags": "canary"}, "uss:tags is not a JSON object of texts"),
        ({"source": ARN, "tags": '["canary"]'}, "uss:tags is not a JSON object of texts"),
        ({"source": ARN, "tags": '{"canary":1}'}, "uss:tags is not a JSON object of texts"),
        ({"source": ARN, "tags": "[" * 100_000}, "uss:tags is not a JSON object of texts"),
        ({"tags": '{"a":"b"}'}, "uss:tags is there without uss:source, which says in which cloud the tags are"),
    ],
)
def test_what_cannot_be_followed_is_told_without_its_text(texts: dict[str, str], fault: str) -> None:
    found = origin(**texts)
    assert isinstance(found, OriginFault)
    assert f"{found.label} {found.text}" == fault


@pytest.mark.parametrize("label", list(Label))
@pytest.mark.parametrize(
    ("values", "text"), [(("canary", "canary"), "has more than one value"), (({"canary": 1},), "is not text")]
)
def test_a_field_is_one_text(label: Label, values: tuple[Any, ...], text: str) -> None:
    entry = record("R1", "a", Field("text", label, values))
    assert origin_of(entry) == OriginFault(label, text)
    with pytest.raises(ValueError, match=f"^{text}$"):
        reserved_text(entry, label)


def test_what_is_empty_says_nothing() -> None:
    assert reserved_text(record("R1", "a", Field("text", "uss:name", (None, "", "n"))), Label.NAME) == "n"
    assert reserved_text(record("R1", "a", Field("text", "uss:name", ())), Label.NAME) == ""


anything = st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner, max_size=2), max_leaves=3)
reserved = st.lists(
    st.builds(
        Field,
        type=st.just("text"),
        label=st.sampled_from(list(Label)),
        values=st.lists(anything | st.sampled_from([ARN, "{}", '{"a":"b"}']), max_size=2).map(tuple),
    ),
    min_size=1,
)


@given(reserved)
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_the_fields_is_read_or_refused(fields: list[Field]) -> None:
    assert isinstance(origin_of(record("R1", "a", *fields)), Origin | OriginFault)
