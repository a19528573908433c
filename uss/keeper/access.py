"""Where the Keeper Secrets Manager configuration comes from.

Keeper's SDK is imported where it is used: that takes a tenth of a second, which a run with nothing to read need not
spend.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uss.errors import ConfigurationError

if TYPE_CHECKING:
    from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage


@dataclass(frozen=True)
class Access:
    """A Keeper Secrets Manager configuration and where it came from. Prints as its source only."""

    content: str
    source: str

    def __repr__(self) -> str:
        return f"Access(from {self.source})"

    def plan_key(self) -> bytes:
        """Return a key for digests of plans: the same for all clients of one application, and telling nothing of it."""
        from keeper_secrets_manager_core.configkeys import ConfigKeys

        application_key: str = self.storage().get(ConfigKeys.KEY_APP_KEY)
        return hmac.new(application_key.encode(), b"uss plan digest", hashlib.sha256).digest()

    def storage(self) -> InMemoryKeyValueStorage:
        """Return the SDK's storage of it, or raise `ConfigurationError` when it is not a bound client's."""
        from keeper_secrets_manager_core.configkeys import ConfigKeys
        from keeper_secrets_manager_core.exceptions import KeeperError
        from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage

        needed = (ConfigKeys.KEY_CLIENT_ID, ConfigKeys.KEY_PRIVATE_KEY, ConfigKeys.KEY_APP_KEY)
        mend = "Set it to the JSON or base64 configuration that Keeper gave for a Secrets Manager client."
        try:
            storage = InMemoryKeyValueStorage(self.content.strip())
            missing = [key.value for key in needed if not storage.get(key)]
        except (KeeperError, ValueError, binascii.Error, AttributeError, TypeError, IndexError):
            # The vendor's error is left out on purpose: it can quote the configuration.
            raise ConfigurationError(
                f"Keeper access: {self.source} is not a Secrets Manager configuration. {mend}"
            ) from None
        if missing:
            raise ConfigurationError(f"Keeper access: {self.source} lacks {', '.join(missing)}. {mend}")
        return storage


def find_access(stack_secret: str | None, environment: Mapping[str, str] = os.environ) -> Access:
    """Return the Keeper Secrets Manager configuration to use.

    In this order: `KSM_CONFIG` (base64 or JSON), the file that `KSM_CONFIG_FILE` names, the secret `uss:ksmConfig` of
    the stack, `client-config.json` in the current folder. Raises `ConfigurationError` when there is none.
    """
    if content := environment.get("KSM_CONFIG"):
        return Access(content, "KSM_CONFIG")
    if name := environment.get("KSM_CONFIG_FILE"):
        return Access(_read(Path(name)), f"the file {name}")
    if stack_secret:
        return Access(stack_secret, "uss:ksmConfig")
    default = Path("client-config.json")
    if default.exists():
        return Access(_read(default), f"the file {default}")
    raise ConfigurationError(
        "Keeper access is not configured: KSM_CONFIG, KSM_CONFIG_FILE and uss:ksmConfig are all unset. Create a client "
        "of a Secrets Manager application in Keeper and set one of them to its configuration."
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Keeper access: the file {path} cannot be read ({type(error).__name__}).") from error
