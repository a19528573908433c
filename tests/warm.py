"""A `python3` for Pulumi programs whose imports are done: half of an engine run is Python's start and the SDK's.

The folder that `warm_python` gives stands first on the PATH of a run. Pulumi's language host finds its `python3` there,
a small client that hands its arguments, environment, folder and standard streams to a server. The server, which has
imported what our program imports and nothing has run in it, forks; the child is what the host's own Python would have
become: it runs the host's own script, and ends as Python ends. What else the host asks of Python, which packages there
are, is asked once. Anything other goes to the real interpreter.

A run that is to be killed takes the real one: a signal to the client's group does not reach the child in time.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SHIM = "pulumi-language-python-exec"
_LISTING = ["-m", "pip", "list", "-v", "--format", "json"]
_IMPORTED = (
    "asyncio",
    "pulumi",
    "uss.program",
    "uss.resources.aws",
    "uss.resources.azure",
    "uss.resources.gcp",
    "uss.keeper.client",
)
_CLIENT = """#!{base} -IS
import os, socket, sys

arguments = sys.argv[1:]
if arguments == {listing!r}:
    with open({listed!r}, "rb") as file:
        sys.stdout.buffer.write(file.read())
    sys.exit()
if not arguments or os.path.basename(arguments[0]) != {shim!r}:
    os.execv({python!r}, [{python!r}, *arguments])
import array, json
given = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    streams = array.array("i", [0, 1, 2])
    server.sendmsg([len(given).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    server.sendall(given)
    code = server.recv(1)
if not code:
    os.kill(os.getpid(), 9)
os._exit(code[0])
"""


@functools.cache
def warm_folder() -> Path:
    """Return the folder with a `python3` of a server that runs as long as this process does."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(warm_python())


@contextmanager
def warm_python() -> Iterator[Path]:
    """Run a server and give the folder with its `python3`."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))  # a socket's address must be short
    try:
        listed = subprocess.run([sys.executable, *_LISTING], capture_output=True, check=True)
        (folder / "packages.json").write_bytes(listed.stdout)
        address = folder / "socket"
        client = _CLIENT.format(
            base=os.path.realpath(sys.executable),
            listing=_LISTING,
            listed=str(folder / "packages.json"),
            shim=SHIM,
            python=sys.executable,
            address=str(address),
        )
        (folder / "python3").write_text(client)
        (folder / "python3").chmod(0o755)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(address)], cwd=Path(__file__).parents[1], stdout=subprocess.PIPE
        ) as server:
            assert server.stdout
            assert server.stdout.read(1), "the server did not start"
            try:
                yield folder
            finally:
                server.terminate()
    finally:
        shutil.rmtree(folder)


def _serve(address: str) -> None:
    for name in _IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that end are nobody's to ask for
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        os.write(1, b".")
        while True:
            connection, _ = listening.accept()
            with connection:
                if os.fork() == 0:
                    listening.close()
                    _become(connection.dup())
                    return


def _become(connection: socket.socket) -> None:
    """Be the process that the client stands for; return once its program has."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, streams, _, _ = socket.recv_fds(connection, 8, 3)
    arguments, folder, environment = json.loads(_read(connection, int.from_bytes(length, "big")))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = arguments
    sys.path[0] = os.path.dirname(arguments[0])
    code = [0]
    atexit.register(_told, connection, code)  # last of all: those that come later are called before
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as ended:
        code[0] = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
    except BaseException:  # noqa: BLE001 - told and ended with, as Python does
        code[0] = 1
        sys.excepthook(*sys.exc_info())


def _read(connection: socket.socket, length: int) -> bytes:
    content = b""
    while len(content) < length:
        content += connection.recv(length - len(content))
    return content


def _end_with(connection: socket.socket) -> None:
    """End at once when the client does, as the process that it stands for would."""
    if not connection.recv(1):
        os.kill(os.getpid(), signal.SIGKILL)


def _told(connection: socket.socket, code: list[int]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code[0] & 255]))


if __name__ == "__main__":
    _serve(sys.argv[1])
