"""Keeper Universal Secrets Sync on Pulumi: Keeper folders declared as cloud secrets."""
