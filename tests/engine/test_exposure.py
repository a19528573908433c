"""What is said of the ways to make Pulumi talk."""

from __future__ import annotations

import pytest

from uss.config import CloudType
from uss.engine.exposure import Talk, of_engine, of_providers

ALL = frozenset(CloudType)
AWS, AZURE, GCP = CloudType.AWS, CloudType.AZURE, CloudType.GCP
DEBUG = {"TF_LOG": "debug"}


@pytest.mark.parametrize(
    ("arguments", "environment", "clouds"),
    [
        (["up", "--yes", "--stack", "debug"], {}, ()),
        (["up", "--debug"], {}, (GCP,)),
        (["preview", "-d"], {}, (GCP,)),
        (["up", "-yd"], {}, (GCP,)),
        (["up", "--debug=true"], {}, (GCP,)),
        (["up", "--debug=false"], {}, ()),
        (["up", "-d=false"], {}, ()),
        (["up", "-sdev"], {}, ()),
        (["up", "-s", "-d"], {}, ()),
        (["up", "--debug", "--debug=false"], {}, ()),
        (["-v=3", "up"], {}, (GCP,)),
        (["up", "-v9"], {}, (GCP,)),
        (["up", "-v", "9"], {}, (GCP,)),
        (["up", "-yv", "9"], {}, (GCP,)),
        (["up", "--verbose", "11"], {}, (GCP,)),
        (["up", "--verbose=3"], {}, (GCP,)),
        (["up", "--verbose", "2"], {}, ()),
        (["up", "-v"], {}, ()),
        (["up"], DEBUG, ()),
        (["up", "--debug"], DEBUG, (AWS, GCP)),
        (["up", "-v=3"], {"TF_LOG": "TRACE"}, (AWS, GCP)),
        (["up", "--debug"], {"TF_LOG": "INFO"}, (GCP,)),
        (["up", "--json"], {}, (GCP,)),
        (["up", "-yj"], DEBUG, (AWS, GCP)),
        (["up", "--logtostderr"], {}, (AZURE,)),
        (["up", "--logtostderr=0", "--tracing", "--logtostderr"], {}, ()),
        (["up", "--logtostderr", "-d"], DEBUG, (AWS, AZURE, GCP)),
    ],
)
def test_a_providers_cloud_is_warned_of_where_it_writes_values(
    arguments: list[str], environment: dict[str, str], clouds: tuple[CloudType, ...]
) -> None:
    talk = Talk.of(arguments, environment)
    assert [cloud for cloud in CloudType if of_providers(talk, {cloud})] == list(clouds)
    assert len(of_providers(talk, ALL)) == len(clouds)


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["up", "--debug", "--logtostderr", "-v=6"], {"PULUMI_DEBUG_GRPC": ""}, []),
        (["up"], {"PULUMI_DEBUG_GRPC": "/tmp/a"}, ["PULUMI_DEBUG_GRPC"]),  # noqa: S108 - no file is made
        (["up", "--tracing", "file:/a"], {}, ["--tracing"]),
        (["up", "--tracing=file:/a"], {}, ["--tracing"]),
        (["up", "--tracing="], {}, []),
        (["preview", "--show-secrets", "--diff"], {}, ["--show-secrets"]),
        (["up", "-v=7"], {}, ["-v=7"]),
        (["up", "--verbose=11", "--tracing=a"], {}, ["--tracing", "-v=11"]),
    ],
)
def test_the_engine_is_warned_of_whatever_the_cloud(
    arguments: list[str], environment: dict[str, str], told: list[str]
) -> None:
    assert [
        line.removeprefix("This run has ").split(":")[0] for line in of_engine(Talk.of(arguments, environment))
    ] == told


def test_a_preview_as_json_is_no_matter_but_one_for_debugging_is() -> None:
    assert of_providers(Talk.of(["preview", "--json"], DEBUG), ALL, preview=True) == []
    assert len(of_providers(Talk.of(["preview", "--debug"], DEBUG), ALL, preview=True)) == 2


def test_a_warning_names_the_flag_the_cloud_the_form_and_the_mend() -> None:
    assert of_providers(Talk.of(["up", "-d"], {}), ALL) == [
        "This run has --debug: GCP's provider writes each new value in base64. Leave it out, delete what was written "
        "so, and change those values."
    ]
