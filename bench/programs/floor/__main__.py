"""The same resources as the plain loop's, by bare calls of the engine from 16 threads: the engine's own part."""

import asyncio
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pulumi_aws as aws
from google.protobuf.struct_pb2 import Struct
from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage
from pulumi.runtime import rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_monitor

THREADS = 16
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def secrets(vault: SecretsManager) -> list[tuple[str, str, str]]:
    """The records' titles, UIDs and values."""
    folders = set(os.environ["BENCH_FOLDERS"].split(","))
    return [
        (record.title, record.uid, json.dumps({field["type"]: field["value"] for field in record.dict["fields"]}))
        for record in vault.get_secrets()
        if record.inner_folder_uid in folders or record.folder_uid in folders
    ]


async def main() -> None:
    """Register them all."""
    provider = aws.Provider(
        "aws",
        region="us-east-1",
        access_key=os.environ["BENCH_ACCESS_KEY"],
        secret_key=os.environ["BENCH_SECRET_KEY"],
        assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=os.environ["BENCH_ROLE"])],
    )
    root = pulumi.runtime.get_root_resource()
    assert root  # noqa: S101 - pulumi.run makes one
    parent = await root.urn.future() or rpc.UNKNOWN
    identity = await provider.id.future() or rpc.UNKNOWN
    reference = f"{await provider.urn.future()}::{identity}"
    monitor: Any = get_monitor()

    def register(kind: str, name: str, properties: Mapping[str, Any], depends: list[str]) -> Any:
        inputs = Struct()
        inputs.update(properties)
        return monitor.RegisterResource(
            resource_pb2.RegisterResourceRequest(
                type=kind,
                name=name,
                parent=parent,
                custom=True,
                object=inputs,
                provider=reference,
                dependencies=depends,
                acceptSecrets=True,
                acceptResources=True,
                supportsPartialValues=True,
            )
        )

    def declare(secret: tuple[str, str, str]) -> None:
        title, uid, value = secret
        container = register(
            "aws:secretsmanager/secret:Secret",
            title,
            {
                "name": os.environ["BENCH_PREFIX"] + title,
                "recoveryWindowInDays": 30,
                "replicas": [{"region": "eu-west-1"}],
                "tags": {"keeper-record-uid": uid},
            },
            [],
        )
        register(
            "aws:secretsmanager/secretVersion:SecretVersion",
            title,
            {"secretId": container.id or rpc.UNKNOWN, "secretString": {**SECRET, "value": value}},
            [container.urn],
        )

    vault = SecretsManager(config=InMemoryKeyValueStorage(os.environ["KSM_CONFIG"]))
    listed = secrets(vault)
    with ThreadPoolExecutor(THREADS) as pool:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pool, declare, secret) for secret in listed))


pulumi.run(main)
