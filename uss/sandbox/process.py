"""The sandbox's process: the vault, the clouds, the stand-in plugins and the control, from start to end.

`python -m uss.sandbox.process VAULT DIR DESCRIPTOR` is the process in the background: it writes one JSON object to the
open file DESCRIPTOR, `{"exports": {...}}` when everything answers or `{"error": text}`, and closes it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from uss.sandbox.aws import AwsServer
from uss.sandbox.azure import AzureServer
from uss.sandbox.control import ControlServer, Route, SandboxClient, fault_from
from uss.sandbox.exports import aws_exports, azure_exports, gcp_exports, keeper_exports, pulumi_exports
from uss.sandbox.faults import FaultBoard
from uss.sandbox.gcp import GcpServer
from uss.sandbox.keeper import KeeperServer
from uss.sandbox.layout import Hold, Layout, SandboxError, find_holder
from uss.sandbox.vaultfile import VaultFileError, load_vault

_PLUGINS_SECONDS = 60
_END_SECONDS = 15
_POLL_SECONDS = 0.02
_LOG_LINES = 15

Announce = Callable[[Mapping[str, str]], None]


class Plugins:
    """The child process that serves the stand-in provider plugins; it ends when its standard input is closed."""

    def __init__(self, layout: Layout, environment: Mapping[str, str]) -> None:
        self._layout = layout
        # In a session of its own, so that Ctrl-C reaches the sandbox alone, which then ends the plugins in order.
        # Its output goes to standard error: standard output is for the `export` lines.
        self._process = subprocess.Popen(  # noqa: S603  this project's own module
            [sys.executable, "-m", "uss.sandbox.providers", "--ports-file", str(layout.provider_ports)],
            stdin=subprocess.PIPE,
            stdout=2,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        self.pid = self._process.pid

    def ports(self) -> dict[str, int]:
        """Wait until the plugins serve and return their ports by package; raise `SandboxError` when they do not."""
        deadline = time.monotonic() + _PLUGINS_SECONDS
        while not self._layout.provider_ports.exists():
            if self._process.poll() is not None:
                raise SandboxError(
                    f"The stand-in provider plugins ended with code {self._process.returncode}. What they said is on "
                    f"standard error, or in {self._layout.log} when the sandbox starts in the background."
                )
            if time.monotonic() > deadline:
                raise SandboxError(f"The stand-in provider plugins were not ready within {_PLUGINS_SECONDS} seconds.")
            time.sleep(_POLL_SECONDS)
        ports: dict[str, int] = json.loads(self._layout.provider_ports.read_text(encoding="utf-8"))
        return ports

    def stop(self) -> None:
        """End the plugins and wait until they are gone."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Sandbox:
    """One sandbox in this process. Raises `VaultFileError` when the vault file cannot be used."""

    def __init__(self, vault: Path, layout: Layout) -> None:
        self._layout = layout
        self._faults = FaultBoard()
        self._keeper = KeeperServer(vault, layout.keeper, self._faults)
        self._aws = AwsServer(lambda: self._keeper.vault, self._faults)
        self._azure = AzureServer(lambda: self._keeper.vault, layout.azure, self._faults)
        self._gcp = GcpServer(lambda: self._keeper.vault, self._faults)
        self._undo = ExitStack()
        self._bell, self._button = socket.socketpair()
        self._button.setblocking(False)

    def start(self) -> dict[str, str]:
        """Start everything; return the environment to export when all of it answers."""
        with ExitStack() as undo:
            undo.callback(self._aws.stop)
            undo.callback(self._gcp.stop)
            self._gcp.start()
            undo.callback(self._azure.stop)
            self._keeper.start()
            undo.callback(self._keeper.stop)
            self._azure.start()
            aws = aws_exports(self._aws.url, self._aws.ambient, self._layout, os.environ)
            gcp = gcp_exports(self._gcp.url, self._gcp.ambient, self._layout, os.environ)
            azure = azure_exports(
                self._azure.url, self._azure.metadata_url, self._azure.ambient, os.environ, self._azure.subscription
            )
            # moto's own use of botocore must not meet a profile of this machine.
            os.environ.update(aws)
            plugins = Plugins(self._layout, aws | gcp | azure | {"REQUESTS_CA_BUNDLE": str(self._azure.ca_file)})
            undo.callback(plugins.stop)
            self._aws.start()
            keeper = keeper_exports(
                self._keeper.client_config(), [self._keeper.ca_file, self._azure.ca_file], self._layout
            )
            environment = aws | gcp | azure | keeper | pulumi_exports(plugins.ports(), self._layout, os.environ)
            control = ControlServer(self._routes(environment))
            control.start()
            undo.callback(control.stop)
            self._write_state(control, plugins)
            self._undo = undo.pop_all()
        return environment

    def end(self) -> None:
        """Let `wait` return."""
        self._button.send(b".")

    def wait(self) -> None:
        """Wait until `end` is called, or SIGINT, SIGTERM or SIGHUP came since `heed_signals`."""
        self._bell.recv(1)

    def heed_signals(self) -> None:
        """Take signals as a call of `end`."""
        # Python's own handlers run between two instructions of the main thread: one that waits for a lock may never get
        # there. The wakeup descriptor is written to as the signal comes.
        signal.set_wakeup_fd(self._button.fileno())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: None)

    def stop(self) -> None:
        """End everything, last things first."""
        self._undo.close()

    def _write_state(self, control: ControlServer, plugins: Plugins) -> None:
        state = {"pid": os.getpid(), "providerPid": plugins.pid, "controlUrl": control.url, "token": control.token}
        self._layout.write_private(self._layout.state, json.dumps(state))

    def _routes(self, environment: Mapping[str, str]) -> dict[str, Route]:
        return {
            "GET /dump": lambda _: {"aws": self._aws.dump(), "azure": self._azure.dump(), "gcp": self._gcp.dump()},
            "GET /environment": lambda _: environment,
            "GET /faults": lambda _: {"faults": [asdict(fault) for fault in self._faults.faults()]},
            "POST /faults": lambda content: _empty(self._faults.add, fault_from(content)),
            "DELETE /faults": lambda _: _empty(self._faults.clear),
            "GET /calls": lambda _: self._faults.calls(),
            "DELETE /calls": lambda _: _empty(self._faults.reset_calls),
            "POST /token": lambda _: {"token": self._keeper.one_time_token(), "hostname": self._keeper.hostname},
            "POST /stop": lambda _: _empty(self.end),
        }


def _empty(action: Callable[..., None], *arguments: object) -> dict[str, Any]:
    action(*arguments)
    return {}


def serve(vault: Path, layout: Layout, announce: Announce) -> None:
    """Run a sandbox until it is told to end, by `stop` or by SIGINT, SIGTERM or SIGHUP.

    `announce` is called with the environment once everything answers. Raises `SandboxError` when one runs in the
    folder already or cannot start, `VaultFileError` when the vault file cannot be used. Nothing is left running.
    """
    load_vault(vault)
    layout.prepare()
    hold = Hold(layout)
    if (holder := hold.take()) is not None:
        hold.close()
        raise _running(layout, holder)
    try:
        layout.clean(layout.lock, layout.log)
        sandbox = Sandbox(vault, layout)
        sandbox.heed_signals()
        environment = sandbox.start()
        try:
            announce(environment)
            sandbox.wait()
        finally:
            sandbox.stop()
    finally:
        layout.clean(layout.log)
        hold.close()


def start_in_background(vault: Path, layout: Layout) -> dict[str, str]:
    """Start a sandbox that outlives this process; return its environment once everything answers.

    Raises `SandboxError` with the reason when it does not start, `VaultFileError` when the vault file cannot be used.
    """
    load_vault(vault)
    layout.prepare()
    if holder := find_holder(layout):
        raise _running(layout, holder)
    readable, writable = os.pipe()
    layout.log.unlink(missing_ok=True)
    with os.fdopen(os.open(layout.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
        child = subprocess.Popen(  # noqa: S603  this project's own module
            [sys.executable, "-m", "uss.sandbox.process", str(vault), str(layout.directory), str(writable)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writable],
            start_new_session=True,
        )
    os.close(writable)
    with os.fdopen(readable, encoding="utf-8") as ready:
        try:
            answer = json.loads(ready.read() or "{}")
        except KeyboardInterrupt:
            child.terminate()
            raise
    if "exports" not in answer:
        raise SandboxError(answer.get("error") or _last_words(layout))
    exports: dict[str, str] = answer["exports"]
    return exports


def stop(layout: Layout) -> bool:
    """End the sandbox in a folder and wait until its processes are gone; return False when none ran there.

    What a dead one left is removed either way; Pulumi's folder stays.
    """
    hold = Hold(layout)
    try:
        runs = hold.look()
        if runs:
            _ask_to_end(layout, hold)
            if not hold.wait(_END_SECONDS):
                _signal(hold, signal.SIGKILL)
                hold.wait(_END_SECONDS)
        layout.clean()
    finally:
        hold.close()
    return runs


def _ask_to_end(layout: Layout, hold: Hold) -> None:
    try:
        SandboxClient(layout).stop()
    except SandboxError:
        _signal(hold, signal.SIGTERM)  # still starting, or stuck


def _signal(hold: Hold, number: signal.Signals) -> None:
    # Whoever has the lock wrote its process ID there, so no other process is met; 0 is one that has not written yet.
    if holder := hold.holder():
        os.kill(holder, number)


def _running(layout: Layout, holder: int) -> SandboxError:
    return SandboxError(
        f"{layout.directory}: a sandbox runs here already (process {holder}). End it with `uss sandbox stop`, "
        "or choose another folder with --dir."
    )


def _last_words(layout: Layout) -> str:
    lines = layout.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join([f"The sandbox ended before it was ready. The end of {layout.log}:", *lines])


def main() -> None:
    """Run the process in the background."""
    vault, directory, descriptor = sys.argv[1:]
    with os.fdopen(int(descriptor), "w", encoding="utf-8") as ready:

        def announce(environment: Mapping[str, str]) -> None:
            json.dump({"exports": environment}, ready)
            ready.close()

        try:
            serve(Path(vault), Layout(Path(directory)), announce)
        except (SandboxError, VaultFileError) as error:
            if ready.closed:
                raise
            json.dump({"error": str(error)}, ready)
            sys.exit(1)


if __name__ == "__main__":
    main()
