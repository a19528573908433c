"""The `uss` command. Optional parts add their commands through the entry point group `uss.commands`.

What a person types enters; what the floors below find is printed. Nothing in here imports `importer/`, `watch/` or the
sandbox, so that `uss` starts without them, nor the program, which Pulumi starts.
"""

from __future__ import annotations

import json
from importlib.metadata import entry_points

import click

from uss.cli.reference import reference
from uss.config import json_schema

_GROUP = "uss.commands"


class _Commands(click.Group):
    """Loads the commands of installed parts when they are asked for, so that each starts without the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *entry_points(group=_GROUP).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for entry in entry_points(group=_GROUP, name=cmd_name):
            try:
                command = entry.load()
            except ImportError as error:
                if not entry.extras:
                    raise
                extra = entry.extras[0]
                raise click.ClickException(
                    f"`uss {cmd_name}` needs the extra `{extra}`, which is not installed ({error.name} is missing). "
                    f"Install it: uv sync --extra {extra}"
                ) from error
            assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="uss")
def main() -> None:
    """Keeper Universal Secrets Sync on Pulumi. The sync itself is `pulumi preview` and `pulumi up`."""


@main.command()
@click.option("--markdown", is_flag=True, help="Print all keys as a page for people.")
def schema(markdown: bool) -> None:
    """Print the JSON schema of the stack configuration, for editors."""
    click.echo(reference() if markdown else json.dumps(json_schema(), indent=2), nl=not markdown)
