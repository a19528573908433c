"""The terminal: what the commands have in common for the person who types them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from uss.errors import UssError

stack_option = click.option(
    "--stack", help="The stack whose file has the configuration; none: the one selected in Pulumi."
)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show an `UssError` as its message, and end with code 1."""
    try:
        yield
    except UssError as error:
        raise click.ClickException(str(error)) from error


def say(text: str) -> None:
    """Tell something beside the command's answer."""
    click.echo(text, err=True)
