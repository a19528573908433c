"""A local GCP Secret Manager, in four layers: urls, responses, models, exceptions; with IAM in `identities`."""

from uss.sandbox.gcp.server import GcpServer, service_account_key

__all__ = ["GcpServer", "service_account_key"]
