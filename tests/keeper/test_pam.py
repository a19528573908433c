"""PAM Configuration records, as different tools write them."""

from __future__ import annotations

import pytest

from tests.builders import record
from uss.config import CloudType
from uss.keeper import Field, PamConfiguration, pam_configuration


@pytest.mark.parametrize(
    ("kind", "cloud"),
    [
        ("pamAwsConfiguration", CloudType.AWS),
        ("pamAzureConfiguration", CloudType.AZURE),
        ("pamGcpConfiguration", CloudType.GCP),
    ],
)
def test_the_record_type_says_the_cloud(kind: str, cloud: CloudType) -> None:
    pam = pam_configuration(record("R1", "PAM", kind=kind))
    assert pam is not None
    assert pam.type is cloud


def test_another_record_is_none() -> None:
    assert pam_configuration(record()) is None


@pytest.mark.parametrize("label", ["accessKeyId", "Access Key Id", "ACCESS KEY ID", " access  key id "])
@pytest.mark.parametrize("kind", ["text", "secret", "multiline", "json"])
def test_labels_are_compared_without_case_and_spaces(label: str, kind: str) -> None:
    pam = pam_configuration(record("R1", "PAM", Field(kind, label, ("AKIA",)), kind="pamAwsConfiguration"))
    assert pam is not None
    assert pam.text("Access Key Id") == "AKIA"
    assert pam.text("accessSecretKey") is None


@pytest.mark.parametrize("values", [("us-east-1\n\n eu-west-1 \r\n",), ("us-east-1", "eu-west-1")])
def test_several_lines_are_a_list(values: tuple[str, ...]) -> None:
    pam = pam_configuration(record("R1", "P", Field("multiline", "Region Names", values), kind="pamAwsConfiguration"))
    assert pam is not None
    assert pam.lines("regionNames") == ["us-east-1", "eu-west-1"]
    assert "us-east-1" not in repr(pam)


def entries(*fields: Field) -> PamConfiguration:
    """A PAM Configuration with these fields."""
    found = pam_configuration(record("R1", "PAM", *fields, kind="pamAwsConfiguration"))
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["PamAwsConfiguration", "pamNetworkConfiguration", "pamUser", "", "login"])
def test_no_other_type_is_one(kind: str) -> None:
    assert pam_configuration(record("R1", "PAM", kind=kind)) is None


def test_the_first_filled_field_of_a_label_counts() -> None:
    labels = {"Region Names": "", "regionNames": "a", "regionnames": "b"}
    pam = entries(*(Field("text", label, (text,)) for label, text in labels.items()))
    assert pam.text("regionNames") == "a"


def test_a_field_without_a_label_goes_by_its_type() -> None:
    assert entries(Field("accessKeyId", "", ("AKIA",))).text("Access Key Id") == "AKIA"


def test_an_object_is_read_as_its_json() -> None:
    assert entries(Field("json", "pamServiceAccountKey", ({"a": "b"},))).text("pamServiceAccountKey") == '{"a": "b"}'


@pytest.mark.parametrize("values", [(), ("",), (None,), ({},), ([],)])
def test_what_is_empty_is_nothing(values: tuple[object, ...]) -> None:
    pam = entries(Field("text", "Access Key Id", values))
    assert pam.text("Access Key Id") is None
    assert pam.lines("Access Key Id") == []


def test_a_secret_is_not_trimmed() -> None:
    assert entries(Field("secret", "Access Secret Key", (" s+/ ",))).text("Access Secret Key") == " s+/ "
