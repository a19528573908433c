"""The `uss sandbox` commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from uss.sandbox.control import SandboxClient
from uss.sandbox.faults import Fault, FaultKind
from uss.sandbox.layout import Layout, SandboxError

_RUN_KSM = "import sys; from uss.sandbox.keeper.ksm import run_ksm; sys.exit(run_ksm(sys.argv[1:]))"


class _Refusal(click.ClickException):
    """What a command says before it ends with code 1."""


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SandboxError as error:
            raise _Refusal(str(error)) from error


def _layout(_ctx: click.Context, _parameter: click.Parameter, value: Path) -> Layout:
    return Layout(value.absolute())


def _with_layout(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--dir",
        "layout",
        type=click.Path(path_type=Path, file_okay=False),
        default=".sandbox",
        show_default=True,
        metavar="DIR",
        callback=_layout,
        help="The sandbox's own folder.",
    )(command)


@click.group(cls=_Group)
def sandbox() -> None:
    """A local Keeper vault and local clouds, to try the sync without either."""


@sandbox.command()
@click.option(
    "--vault",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True),
    required=True,
    metavar="FILE",
    help="What the vault holds, in YAML; a change of the file changes the vault at once.",
)
@click.option("--background", is_flag=True, help="Return when everything answers; end it with `uss sandbox stop`.")
@_with_layout
def start(vault: Path, background: bool, layout: Layout) -> None:
    """Start a sandbox and print `export NAME=value` lines for a shell, when everything answers.

    Without --background it runs until Ctrl-C.
    """
    # These import the servers, which takes a second that the other commands need not spend.
    from uss.sandbox.exports import as_shell
    from uss.sandbox.process import serve, start_in_background
    from uss.sandbox.vaultfile import VaultFileError

    def announce(environment: Mapping[str, str]) -> None:
        click.echo(as_shell(environment), nl=False)
        sys.stdout.flush()

    try:
        if background:
            announce(start_in_background(vault, layout))
        else:
            serve(vault, layout, announce)
    except VaultFileError as error:
        raise _Refusal(str(error)) from error


@sandbox.command()
@_with_layout
def stop(layout: Layout) -> None:
    """End the sandbox and remove its files; Pulumi's state in DIR/pulumi stays."""
    from uss.sandbox.process import stop as stop_sandbox

    click.echo("Sandbox stopped." if stop_sandbox(layout) else f"No sandbox runs in {layout.directory}.")


@sandbox.command()
@click.option("--json", "as_json", is_flag=True, help="Everything, values included.")
@_with_layout
def dump(as_json: bool, layout: Layout) -> None:
    """Show what the clouds hold now."""
    content = SandboxClient(layout).dump()
    if as_json:
        click.echo(json.dumps(content, indent=2, sort_keys=True))
        return
    rows = [
        (cloud, place, name, _versions(secret), secret.get("primaryRegion", ""), _deleted(secret))
        for cloud, places in content.items()
        for place, secrets in places.items()
        for name, secret in secrets.items()
    ]
    _table(("CLOUD", "PLACE", "NAME", "VERSIONS", "PRIMARY", "DELETED"), rows)


@sandbox.command()
@click.argument("service", required=False)
@click.argument("operation", required=False)
@click.argument("kind", required=False, type=click.Choice([kind.value for kind in FaultKind]))
@click.option("--after", type=click.IntRange(0), default=0, show_default=True, help="Calls that pass before the first.")
@click.option("--times", type=click.IntRange(1), help="Calls that are met; all of them by default.")
@click.option(
    "--seconds", type=click.FloatRange(0), default=0.0, show_default=True, help="How slow, or the wait asked."
)
@click.option("--list", "listing", is_flag=True, help="Show the faults in force.")
@click.option("--clear", is_flag=True, help="Lift all faults.")
@_with_layout
def fault(
    service: str | None,
    operation: str | None,
    kind: str | None,
    after: int,
    times: int | None,
    seconds: float,
    listing: bool,
    clear: bool,
    layout: Layout,
) -> None:
    """Make calls of a SERVICE (keeper, aws) go wrong; OPERATION is a name or a pattern with `*`."""
    client = SandboxClient(layout)
    if [listing, clear, kind is not None].count(True) != 1:
        raise click.UsageError("Give SERVICE OPERATION KIND, or --list, or --clear.")
    if clear:
        client.clear_faults()
    elif listing:
        header = ("SERVICE", "OPERATION", "KIND", "AFTER", "TIMES", "SECONDS")
        _table(header, [tuple("" if v is None else str(v) for v in _columns(fault)) for fault in client.faults()])
    elif service and operation and kind:
        client.add_fault(Fault(service, operation, FaultKind(kind), after, times, seconds))


def _columns(fault: Fault) -> tuple[object, ...]:
    return (fault.service, fault.operation, fault.kind, fault.after, fault.times, fault.seconds)


@sandbox.command()
@click.option("--json", "as_json", is_flag=True, help="By service and operation.")
@click.option("--reset", is_flag=True, help="Set the counters to zero afterwards.")
@_with_layout
def calls(as_json: bool, reset: bool, layout: Layout) -> None:
    """Show how often each operation was called."""
    client = SandboxClient(layout)
    counts = client.calls()
    if reset:
        client.reset_calls()
    if as_json:
        click.echo(json.dumps(counts, indent=2, sort_keys=True))
        return
    rows = [(service, name, str(count)) for service, names in counts.items() for name, count in names.items()]
    _table(("SERVICE", "OPERATION", "CALLS"), rows)


@sandbox.command()
@_with_layout
def token(layout: Layout) -> None:
    """Print a fresh one-time access token of the vault, and the vault's hostname."""
    answer = SandboxClient(layout).one_time_token()
    click.echo(f"token     {answer['token']}\nhostname  {answer['hostname']}")


@sandbox.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="ARGS...")
@_with_layout
def ksm(arguments: tuple[str, ...], layout: Layout) -> None:
    """Run Keeper's `ksm` command line, as it is, against the sandbox's vault."""
    # In a process of its own: `ksm` reads the environment, and it is not made to run inside another program.
    result = subprocess.run(  # noqa: S603  the arguments are those of the person at the keyboard
        [sys.executable, "-c", _RUN_KSM, *arguments],
        env={**os.environ, **SandboxClient(layout).environment()},
        check=False,
    )
    sys.exit(result.returncode)


@sandbox.command()
def demo() -> None:
    """Sync a local vault to a local AWS and show what happens; run it in the project's folder."""
    from uss.sandbox.demo import run_demo
    from uss.sandbox.demo.readback import MismatchError
    from uss.sandbox.demo.screen import CommandFailedError

    try:
        run_demo(Path.cwd())
    except KeyboardInterrupt:
        click.echo("\nInterrupted; the sandbox is stopped and its files are removed.", err=True)
        sys.exit(130)
    except (MismatchError, CommandFailedError) as error:
        raise _Refusal(str(error)) from error


def _versions(secret: Mapping[str, Any]) -> str:
    """How many versions there are: each cloud's dump has them in its own form."""
    versions = secret.get("versions", secret.get("versionCount", 0))
    return str(len(versions) if isinstance(versions, Mapping) else versions)


def _deleted(secret: Mapping[str, Any]) -> str:
    return secret.get("deletedDate") or ("yes" if secret.get("deleted") else "")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
