"""A local Keeper vault, local clouds and stand-in provider plugins, for the demo, the tests and a trial.

An optional extra: nothing else in ``uss`` imports it, and it imports nothing of the sync.
"""
