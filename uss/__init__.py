"""Keeper Universal Secrets Sync on Pulumi: Keeper folders declared as cloud secrets."""

import os

# Read by pydantic (Plugins). A plugin sees what every model is given, secrets among it, and to look for one takes a
# tenth of the time in which a program of nothing starts.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
