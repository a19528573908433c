"""The secrets of one account and region, found at once.

moto's store goes through all its secrets at every look-up, so that a call takes the longer the more there are: four
times as long with 5,000 as with 1,000. AWS's does not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from moto.secretsmanager.models import (
    FakeSecret,
    ReplicaSecret,
    SecretsStore,
    secretsmanager_backends,
)
from moto.secretsmanager.utils import get_secret_name_from_partial_arn

Secret = FakeSecret | ReplicaSecret

_installing = threading.Lock()


def secrets_of(account: str, region: str) -> SecretsStore:
    """Return the secrets that moto keeps for an account's region; from now on it keeps them here."""
    regions = secretsmanager_backends[account]
    if not isinstance(regions[region].secrets, IndexedStore):
        # All regions together, and before any call goes on: a call in one makes replicas in others.
        with _installing:
            for backend in (regions[name] for name in regions.regions):
                if not isinstance(backend.secrets, IndexedStore):
                    backend.secrets = IndexedStore(dict.items(backend.secrets))
    return regions[region].secrets


class IndexedStore(SecretsStore):
    """Secrets that are found by name, by ARN, and by an ARN without its last part, as in moto's own store: there a
    secret has its name as key, and a replica its ARN.
    """

    def __init__(self, items: Iterable[tuple[str, Secret]] = ()) -> None:
        """Put them in."""
        super().__init__()
        self._keys: dict[str, str] = {}
        for key, secret in items:
            self[key] = secret

    def __setitem__(self, key: str, value: Secret) -> None:
        """Put a secret in."""
        super().__setitem__(key, value)
        self._keys[value.name] = self._keys[value.arn] = key

    def __getitem__(self, key: str) -> Secret:
        """Return the secret of a name or an ARN, or raise `KeyError`."""
        secret = self.get(key)
        if secret is None:
            raise KeyError(key)
        return secret

    def __contains__(self, key: object) -> bool:
        """Tell whether the secret of a name or an ARN is here."""
        return isinstance(key, str) and self.get(key) is not None

    def get(self, key: str) -> Secret | None:  # type: ignore[override] # as moto's own: without a default
        """Return the secret of a name or an ARN, or None."""
        # moto takes replicas out past this class, so what the index says is looked at.
        secret: Secret | None = dict.get(self, self._keys.get(key, ""))
        if secret is not None and key in (secret.name, secret.arn):
            return secret
        return dict.get(self, get_secret_name_from_partial_arn(key))

    def pop(self, key: str) -> Secret | None:  # type: ignore[override] # as moto's own: without a default
        """Take the secret of a name or an ARN out and return it, or None."""
        secret = self.get(key)
        return dict.pop(self, self._keys[secret.name], None) if secret else None
