"""From a configuration to what it links: its PAM Configuration, its cloud and target, the records of its folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic.alias_generators import to_camel

from uss.clouds.interface import Cloud, Target
from uss.config import CLOUD_FIELDS, CloudType, Configuration, mistake
from uss.keeper.pam import PAM_CONFIGURATION_TYPES, PamConfiguration, pam_configuration
from uss.keeper.records import Record
from uss.keeper.snapshot import FolderLookupError, Snapshot
from uss.text import shown


@dataclass(frozen=True)
class LinkedConfiguration:
    """A configuration with all that its references stand for."""

    configuration: Configuration
    cloud: Cloud
    target: Target
    records: tuple[Record, ...]


def link(
    configuration: Configuration, snapshot: Snapshot, clouds: Mapping[CloudType, Cloud], source: str
) -> LinkedConfiguration:
    """Follow a configuration's references; raise `ConfigurationError` for one that leads nowhere."""
    cloud, target = aim(configuration, pam_of(configuration, snapshot, source), clouds, source)
    folders = []
    for index, reference in enumerate(configuration.folders):
        try:
            folders.append(snapshot.folder(reference))
        except FolderLookupError as error:
            raise mistake(source, configuration.name, f"folders[{index}]", str(error)) from error
    return LinkedConfiguration(
        configuration=configuration,
        cloud=cloud,
        target=target,
        records=snapshot.records_in(folders, include_subfolders=configuration.include_subfolders),
    )


def aim(
    configuration: Configuration, pam: PamConfiguration | None, clouds: Mapping[CloudType, Cloud], source: str
) -> tuple[Cloud, Target]:
    """Return where a configuration's secrets go; raise `ConfigurationError` for what does not fit."""
    cloud = _cloud(configuration, pam, clouds, source)
    _only_its_own_keys(configuration, cloud, source)
    return cloud, cloud.target(configuration, pam, source)


def pam_of(configuration: Configuration, snapshot: Snapshot, source: str) -> PamConfiguration | None:
    """Return the PAM Configuration that a configuration names, if it names one; raise `ConfigurationError`."""
    uid = configuration.pam_configuration
    if uid is None:
        return None
    record = snapshot.record(uid)
    if record is None:
        text = f"the application sees no record {shown(uid)}. Share the PAM Configuration with it, or correct the UID."
        raise mistake(source, configuration.name, "pamConfiguration", text)
    pam = pam_configuration(record)
    if pam is None:
        types = ", ".join(PAM_CONFIGURATION_TYPES)
        text = f"the record {shown(record.title)} is of type {shown(record.type)}. Name one of type {types}."
        raise mistake(source, configuration.name, "pamConfiguration", text)
    return pam


def _only_its_own_keys(configuration: Configuration, cloud: Cloud, source: str) -> None:
    for kind, fields in CLOUD_FIELDS.items():
        strange = sorted(configuration.model_fields_set & fields) if kind is not cloud.type else []
        if strange:
            text = f"is a key for {kind}, and this configuration is one for {cloud.type}. Take it out."
            raise mistake(source, configuration.name, to_camel(strange[0]), text)


def _cloud(
    configuration: Configuration, pam: PamConfiguration | None, clouds: Mapping[CloudType, Cloud], source: str
) -> Cloud:
    kind = configuration.type or (pam.type if pam else None)
    if kind is None:
        text = "is missing, and no pamConfiguration says it. Use aws, azure or gcp."
        raise mistake(source, configuration.name, "type", text)
    if pam and kind is not pam.type:
        text = f"found {kind}, but the PAM Configuration {shown(pam.title)} is one for {pam.type}. Make them agree."
        raise mistake(source, configuration.name, "type", text)
    if kind not in clouds:
        text = f"found {kind}, which this version cannot sync to yet. It can: {', '.join(clouds)}."
        raise mistake(source, configuration.name, "type", text)
    return clouds[kind]
