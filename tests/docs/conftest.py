"""The sandbox, for the commands of the pages."""

from tests.sync.conftest import sandbox, shared_sandbox

__all__ = ["sandbox", "shared_sandbox"]
