"""Resource options that every cloud's resources share."""

from __future__ import annotations

import pulumi

from uss.config import Configuration, OnDelete


def retains(configuration: Configuration | None) -> bool:
    """Tell whether a resource that is no longer declared stays in the cloud."""
    return configuration is not None and configuration.on_delete is OnDelete.RETAIN


def keeping(provider: pulumi.ProviderResource, configuration: Configuration | None) -> pulumi.ResourceOptions:
    """Return the options of a resource that stays as the state holds it: it is declared with nothing but its name, and
    `ignore_changes` makes the engine keep the inputs it has.
    """
    return pulumi.ResourceOptions(provider=provider, ignore_changes=["*"], retain_on_delete=retains(configuration))
