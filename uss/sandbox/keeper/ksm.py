"""Runs Keeper's `ksm` command line, its code unmodified, against the sandbox's vault.

The stock executable drops `serverPublicKey` from its configuration, so it can only speak to Keeper's own servers.
Here its commands get a client that was made from the whole of `KSM_CONFIG`, which its public API allows. What the
executable does besides is left out: the options before the command, and the shell, which makes its client anew.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

_USAGE_ERROR = 2
_SHELL = ("shell", "quit")
_NO_OPTIONS = {
    "ini_file": None,
    "profile_name": None,
    "output": "stdout",
    "use_color": None,
    "use_cache": None,
    "log_level": None,
}
"""The values of the executable's options before the command, where none is given."""


def run_ksm(arguments: Sequence[str]) -> int:
    """Run `ksm ARGUMENTS` with the `KSM_CONFIG` of the environment, and return the exit code."""
    if "KSM_CONFIG" not in os.environ:
        return _complain("KSM_CONFIG is not set: set the variables that `uss sandbox start` prints")
    if arguments and (arguments[0] in _SHELL or (arguments[0].startswith("-") and arguments[0] != "--help")):
        return _complain(f"{arguments[0]} is not supported against the sandbox: start with a command, see `--help`")
    with _no_update_check():
        # Imported here, for the import itself looks for updates.
        from keeper_secrets_manager_cli.__main__ import cli as group
    try:
        return _run(group, arguments)
    except Exception as error:  # noqa: BLE001 - the executable, too, ends with the message of any error
        return _complain(f"had a problem: {error}", code=1)


def _run(group: Any, arguments: Sequence[str]) -> int:
    import click
    from keeper_secrets_manager_cli import KeeperCli
    from keeper_secrets_manager_core import SecretsManager
    from keeper_secrets_manager_core.storage import InMemoryKeyValueStorage

    root = click.Context(group, info_name="ksm")
    name, rest = (arguments[0], arguments[1:]) if arguments else ("--help", ())
    command = None if name in ("--help", "help") else group.get_command(root, name)
    if command is None:
        known = name in ("--help", "help")
        click.echo(group.get_help(root) if known else f"Error: No such command '{name}'.", err=not known)
        return 0 if known else _USAGE_ERROR
    keeper = KeeperCli()
    keeper.client = SecretsManager(config=InMemoryKeyValueStorage(os.environ["KSM_CONFIG"]))
    try:
        command.main(args=list(rest), obj={"cli": keeper, **_NO_OPTIONS}, prog_name=f"ksm {command.name}")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _complain(message: str, code: int = _USAGE_ERROR) -> int:
    sys.stderr.write(f"ksm: {message}\n")
    return code


@contextmanager
def _no_update_check() -> Iterator[None]:
    """Send what the command line asks a package index into a closed port of this machine, and keep no note of it."""
    with socket.socket() as closed:
        # Bound, but not listening: a connection is refused at once.
        closed.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
        names = {"https_proxy": proxy, "no_proxy": "localhost,127.0.0.1"}
        with _environment({**names, **{name.upper(): value for name, value in names.items()}, **_NO_CACHE}):
            yield


_NO_CACHE = {"XDG_CACHE_HOME": os.devnull}
"""A cache directory that cannot be made: the check's empty result is not for the stock executable."""


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
