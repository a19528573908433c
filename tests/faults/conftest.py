"""The fixtures of the tests of the sync."""

from tests.sync.conftest import project, sandbox, shared_sandbox

__all__ = ["project", "sandbox", "shared_sandbox"]
