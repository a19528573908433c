"""The least that a configuration's Sync Identity must be allowed, as documents and commands: pure, one file a cloud.

`tests/sync/test_permissions.py` proves each action: with it the sync goes through, without it a step does not.
"""
