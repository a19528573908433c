"""A loop over the records of the linked folders: a Secret and a SecretVersion for each."""

import json
import os

import pulumi
import pulumi_aws as aws
from keeper_secrets_manager_core import SecretsManager
from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage

prefix = os.environ["BENCH_PREFIX"]
folders = set(os.environ["BENCH_FOLDERS"].split(","))
provider = aws.Provider(
    "aws",
    region="us-east-1",
    access_key=os.environ["BENCH_ACCESS_KEY"],
    secret_key=os.environ["BENCH_SECRET_KEY"],
    assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=os.environ["BENCH_ROLE"])],
)
options = pulumi.ResourceOptions(provider=provider)
vault = SecretsManager(config=InMemoryKeyValueStorage(os.environ["KSM_CONFIG"]))
for record in vault.get_secrets():
    if record.inner_folder_uid in folders or record.folder_uid in folders:
        secret = aws.secretsmanager.Secret(
            record.title,
            name=prefix + record.title,
            recovery_window_in_days=30,
            replicas=[aws.secretsmanager.SecretReplicaArgs(region="eu-west-1")],
            tags={"keeper-record-uid": record.uid},
            opts=options,
        )
        value = {field["type"]: field["value"] for field in record.dict["fields"]}
        aws.secretsmanager.SecretVersion(
            record.title, secret_id=secret.id, secret_string=pulumi.Output.secret(json.dumps(value)), opts=options
        )
