"""`uss permissions`: the least policy for one configuration."""

from __future__ import annotations

import json

import click

from uss.clouds import CLOUDS, Cloud
from uss.clouds.interface import Target
from uss.config import CloudType, Configuration
from uss.errors import UssError
from uss.keeper import read_vault
from uss.permissions import permissions_of
from uss.permissions.aws import parse_caller
from uss.permissions.federation import Federation, parse_federation
from uss.permissions.interface import check_prefix
from uss.planning.linking import aim, pam_of
from uss.workplace.stackfile import StackFile, find_stack_file
from uss.workplace.terminal import plain_errors, say, stack_option


def _caller(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else parse_caller(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _federation(context: click.Context, parameter: click.Parameter, value: str | None) -> Federation | None:
    try:
        return None if value is None else parse_federation(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("permissions")
@click.argument("name")
@stack_option
@click.option("--caller", metavar="ARN", callback=_caller, help="AWS: the user or role that assumes the role.")
@click.option(
    "--oidc",
    metavar="CI",
    callback=_federation,
    help="The CI whose jobs write as the Sync Identity: github:OWNER/REPO[:ENVIRONMENT] or gitlab:GROUP/PROJECT.",
)
@click.option("--json", "as_json", is_flag=True, help="Print data: policies, and commands as lists.")
def permissions_command(
    name: str, stack: str | None, caller: str | None, oidc: Federation | None, as_json: bool
) -> None:
    """Print the least that the configuration NAME must be allowed in its cloud.

    Nothing is changed, and no cloud is asked. The vault is read for the PAM Configuration alone.
    """
    if caller and oidc:
        raise click.UsageError("Give --caller or --oidc, not both.")
    with plain_errors():
        stack_file = find_stack_file(stack)
        configuration = stack_file.configuration(name)
        cloud, target = _aimed(stack_file, configuration)
        check_prefix(cloud, configuration, stack_file.source)
        if caller and cloud.type is not CloudType.AWS:
            raise click.UsageError(f"--caller is for AWS, and {name} is a configuration for {cloud.type}.")
        needed = permissions_of(cloud.type).permissions(
            target, configuration, stack_file.source, stack_file.stack, caller or oidc
        )
    if as_json:
        click.echo(json.dumps({"configuration": name, "cloud": cloud.type} | needed.data(), indent=2))
        return
    click.echo("\n".join(needed.lines()).rstrip())


def _aimed(stack_file: StackFile, configuration: Configuration) -> tuple[Cloud, Target]:
    """Where the secrets go. A vault that cannot be read is no matter where the configuration says all of it."""
    if configuration.pam_configuration is None:
        return aim(configuration, None, CLOUDS, stack_file.source)
    try:
        snapshot = read_vault(stack_file.access(), say)
        pam = pam_of(configuration, snapshot, stack_file.source)
    except UssError as error:
        if configuration.sync_identity is None:
            raise
        try:
            # Without the record's keys, it is as if the machine itself were the caller.
            alone = configuration.model_copy(update={"ambient_credentials": True})
            found = aim(alone, None, CLOUDS, stack_file.source)
        except UssError:
            raise error from None
        say(f"warning: the PAM Configuration was not read, and what it says is left out: {error}")
        return found
    return aim(configuration, pam, CLOUDS, stack_file.source)
