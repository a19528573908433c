"""The sandbox and its projects."""

from tests.sync.conftest import project, sandbox, shared_sandbox

__all__ = ["project", "sandbox", "shared_sandbox"]
