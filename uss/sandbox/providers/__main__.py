"""Serve the stand-in providers: `python -m uss.sandbox.providers --ports-file FILE`.

Writes `{"aws": PORT, ...}` to FILE once the servers answer, and ends when its standard input is closed or on SIGTERM.
The clouds' endpoints and credentials come from the providers' configuration and from this process's environment.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from uss.sandbox.providers.aws import AwsPackage
from uss.sandbox.providers.azure import AzurePackage
from uss.sandbox.providers.gcp import GcpPackage
from uss.sandbox.providers.server import serve


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m uss.sandbox.providers", description="Serve stand-in providers.")
    parser.add_argument("--ports-file", type=Path, required=True, help="where to write the packages' ports, as JSON")
    ports_file: Path = parser.parse_args().ports_file
    # The sandbox's identities come from configuration and environment; the machine's own is never asked for.
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    threading.Thread(target=_end_with_input, args=(end,), daemon=True).start()
    servers = {package.name: serve(package) for package in (AwsPackage(), AzurePackage(), GcpPackage())}
    _write(ports_file, {name: server.port for name, server in servers.items()})
    end.wait()
    for server in servers.values():
        server.stop()


def _end_with_input(end: threading.Event) -> None:
    # Not through sys.stdin, whose lock a thread must not hold when the interpreter ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    end.set()


def _write(ports_file: Path, ports: dict[str, int]) -> None:
    part = ports_file.with_name(f"{ports_file.name}.{os.getpid()}.part")
    part.write_text(json.dumps(ports), encoding="utf-8")
    part.replace(ports_file)


if __name__ == "__main__":
    main()
