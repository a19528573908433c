"""Property values on the wire and in Python."""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from uss.sandbox.providers.values import UNKNOWN, contains_unknown, decode, encode

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"

numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.booleans() | numbers | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def wire(**properties: Any) -> Struct:
    message = Struct()
    message.update(properties)
    return message


@given(st.dictionaries(st.sampled_from("abcd"), values, max_size=4), st.sets(st.sampled_from("abcd")))
def test_what_is_written_is_read_back_with_its_secrets(properties: dict[str, Any], secrets: set[str]) -> None:
    message = Struct()
    encode(properties, secrets, message)
    decoded = decode(message)
    assert decoded.properties == properties
    assert decoded.secrets == secrets & properties.keys()


def test_a_secret_is_written_with_the_protocols_signature() -> None:
    message = Struct()
    encode({"value": "hidden", "name": "shown", "none": None}, {"value"}, message)
    assert message == wire(value={SIGNATURE: SECRET, "value": "hidden"}, name="shown")


def test_a_secret_inside_a_value_makes_its_property_secret() -> None:
    decoded = decode(wire(tags={"team": {SIGNATURE: SECRET, "value": "hidden"}}, name="shown"))
    assert decoded.properties == {"tags": {"team": "hidden"}, "name": "shown"}
    assert decoded.secrets == {"tags"}


def test_an_unknown_secret_stays_unknown_and_secret() -> None:
    decoded = decode(wire(value={SIGNATURE: SECRET, "value": UNKNOWN}))
    assert contains_unknown(decoded.properties["value"])
    assert decoded.secrets == {"value"}


def test_output_values_are_read_as_what_they_hold() -> None:
    decoded = decode(
        wire(
            known={SIGNATURE: OUTPUT, "value": "v", "dependencies": []},
            hidden={SIGNATURE: OUTPUT, "value": "v", "secret": True},
            unknown={SIGNATURE: OUTPUT},
        )
    )
    assert decoded.properties == {"known": "v", "hidden": "v", "unknown": UNKNOWN}
    assert decoded.secrets == {"hidden"}


def test_a_reference_to_a_resource_is_read_as_its_id() -> None:
    decoded = decode(wire(secretId={SIGNATURE: RESOURCE, "urn": "urn:x", "id": "arn:x"}, new={SIGNATURE: RESOURCE}))
    assert decoded.properties == {"secretId": "arn:x", "new": UNKNOWN}


def test_unknown_values_are_found_at_any_depth() -> None:
    assert contains_unknown({"a": [{"b": UNKNOWN}]})
    assert not contains_unknown({"a": [{"b": "known"}]})


def test_decoded_properties_are_not_in_their_repr() -> None:
    assert "hidden" not in repr(decode(wire(value={SIGNATURE: SECRET, "value": "hidden"})))
