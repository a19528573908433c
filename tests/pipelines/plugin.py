"""A stand-in provider as the engine starts a plugin: with the environment of the job, out of a program on its PATH.

`python -m tests.pipelines.plugin NAME` prints its port and serves until it is told to end, as a plugin does.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from tests.sync.harness import ROOT
from uss.sandbox.providers.aws import AwsPackage
from uss.sandbox.providers.azure import AzurePackage
from uss.sandbox.providers.gcp import GcpPackage
from uss.sandbox.providers.server import serve

PACKAGES = {package.name: package for package in (AwsPackage, AzurePackage, GcpPackage)}


def put_on_path(folder: Path) -> None:
    """Write the programs that the engine looks for."""
    folder.mkdir()
    for name in PACKAGES:
        program = folder / f"pulumi-resource-{name}"
        command = f"PYTHONPATH='{ROOT}' exec '{sys.executable}' -m tests.pipelines.plugin {name}"
        program.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        program.chmod(0o755)


def main(name: str) -> None:
    """Serve one package."""
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    server = serve(PACKAGES[name]())
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    end.wait()
    server.stop()


if __name__ == "__main__":
    main(sys.argv[1])
