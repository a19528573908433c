"""The one-time import of secrets that a cloud holds already into Keeper. Nothing of the sync imports it."""
