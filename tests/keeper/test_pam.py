"""PAM Configuration records, as different tools write them."""

from __future__ import annotations

import pytest

from tests.builders import record
from uss.config import CloudType
from uss.keeper import Field, pam_configuration


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
