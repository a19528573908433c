"""Prints the provider plugins that the installed SDKs name, one a line: the name and the version."""

import json
import sys
from importlib.metadata import distributions


def main() -> None:
    """Read each SDK's `pulumi-plugin.json`, in which it says which plugin it was made for."""
    for distribution in distributions():
        for file in distribution.files or ():
            if file.name == "pulumi-plugin.json" and len(file.parts) == 2:
                plugin = json.loads(file.read_text())
                sys.stdout.write(f"{plugin['name']} {plugin['version']}\n")


main()
