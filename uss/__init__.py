"""Keeper Universal Secrets Sync on Pulumi: Keeper folders declared as cloud secrets."""

import os

# Read by pydantic (Plugins). A plugin sees what every model is given, secrets among it; and to look for one, pydantic
# reads the metadata of every package that is installed, a sixth of the time of the program's imports.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
