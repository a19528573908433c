"""The sandbox's Google Cloud: Secret Manager v1, IAM Credentials and the OAuth 2 token endpoint over REST.

Four layers:
- `urls`: which call a request is.
- `responses`: faults, the order of the checks, what goes on the wire; `oauth` and `iamcredentials` answer for tokens.
- `models`: what Secret Manager holds and the rules it keeps, with `limits`, `replication`, `quotas` and `filters`;
  `identities`: who there is and who may do what.
- `exceptions`: the refusals in Google's own words.
"""

from uss.sandbox.gcp.server import GcpServer, service_account_key

__all__ = ["GcpServer", "service_account_key"]
