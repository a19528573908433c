"""`uss watch` as a process that tests start, read and end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.sync.harness import USS, Project


@dataclass
class Watch:
    """A running `uss watch`."""

    process: subprocess.Popen[bytes]
    output: Path
    commands: Path
    port: int

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self.output.read_text(encoding="utf-8")

    def waits_for(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something holds; fail where it does not, or where the watch has ended."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)

    def says(self, text: str, times: int = 1, seconds: float = 60) -> None:
        """Wait until it has said something so many times."""
        self.waits_for(lambda: self.text.count(text) >= times, seconds)

    def looks(self, more: int) -> None:
        """Wait until it has looked so many more times."""
        before = self.metric("uss_watch_looks_total")
        self.waits_for(lambda: self.metric("uss_watch_looks_total") >= before + more)

    def runs(self) -> list[str]:
        """The subcommands of `pulumi` that were started, by whoever."""
        lines = self.commands.read_text(encoding="utf-8").splitlines()
        return [next(word for word in line.split() if not word.startswith("-")) for line in lines]

    def get(self, path: str) -> tuple[int, str]:
        """What the endpoint answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:  # noqa: S310 - http
            return answer.status, answer.read().decode()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's values with these labels."""
        families = text_string_to_metric_families(self.get("/metrics")[1])
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def ends(self, number: int = signal.SIGTERM, seconds: float = 60) -> int:
        """Send a signal, and return the code that it ends with."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def watching(project: Project, *arguments: str, interval: float = 1) -> Iterator[Watch]:
    """A watch of the project's stack, as long as the block runs; a wrapper notes each start of `pulumi`."""
    port = free_port()
    output = project.folder / "watch.out"
    environment, commands = counting(project)
    options = ["--interval", str(interval), "--listen", f"127.0.0.1:{port}", "--state-dir", str(project.folder / "w")]
    with output.open("wb") as file:
        process = subprocess.Popen(
            [str(USS), "watch", "--stack", project.stack, *options, *arguments],
            cwd=project.folder,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    watch = Watch(process, output, commands, port)
    try:
        watch.says("Watching the stack")
        yield watch
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def counting(project: Project) -> tuple[dict[str, str], Path]:
    """An environment in which each start of `pulumi` is noted, and the file with the notes."""
    path = project.environment["PATH"]
    folder, commands = project.folder / "bin", project.folder / "commands"
    folder.mkdir(exist_ok=True)
    commands.touch()
    wrapper = folder / "pulumi"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >>{commands}\nexec {shutil.which("pulumi", path=path)} "$@"\n')
    wrapper.chmod(0o755)
    return project.environment | {"PATH": f"{folder}{os.pathsep}{path}"}, commands


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
