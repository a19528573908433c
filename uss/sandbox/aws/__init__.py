"""The sandbox's AWS: Secrets Manager, STS and IAM of moto's server, behind a gate that enforces who may do what.

Four layers, each its own module:
- `urls`: which call a request is.
- `responses`: the gate itself, as a WSGI application: faults, order of the checks, what goes on the wire.
- `models`: identities, rules that moto leaves out, and what Secrets Manager holds.
- `exceptions`: the refusals in AWS's own words, per wire protocol.
"""

from uss.sandbox.aws.server import AwsServer

__all__ = ["AwsServer"]
