"""The steps of the Pulumi program that `__main__.py` puts in order, and the edge to Pulumi: config, logs, outputs."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pulumi

from uss.clouds import CLOUDS, Cloud
from uss.clouds.interface import HeldSecret, LogicalName, Ownership
from uss.config import KEY, Configuration, OnDelete, parse_configurations
from uss.engine import exposure
from uss.errors import CloudError, ConfigurationError, GuardError, RegistrationError, UssError
from uss.keeper import Access, Snapshot, VaultReading, find_access
from uss.planning import guards
from uss.planning.approval import VARIABLE, approve, parse_approvals, with_digests
from uss.planning.build import Holdings, build_plan
from uss.planning.plan import ConfigurationPlan, Mode, Plan
from uss.planning.settle import settle, without_known
from uss.report import diagnostics, document
from uss.resources import resources_of
from uss.resources.interface import Declared, Work
from uss.resources.pacing import paced
from uss.state import StackState, StateResource

OUTPUT = "configurations"
_NOT_ALL = (
    "{}: not all of it could be written; Pulumi's errors say what and why. The rest was written, and nothing was "
    "deleted. Run it again when that is mended."
)


@dataclass(frozen=True)
class Settings:
    """What the stack file says."""

    source: str
    """The stack file, as messages name it."""
    configurations: tuple[Configuration, ...]
    access: Access
    approvals: Mapping[str, str]
    """Digests of plans by configuration, from `USS_APPROVE`."""


@dataclass(frozen=True)
class Outlook:
    """The plan, settled with what the clouds hold, and by configuration what its cloud's resources get."""

    plan: Plan
    works: Mapping[str, Work]
    """None for a configuration that stays as the state holds it."""
    resources: Mapping[str, list[StateResource]] = field(repr=False)
    """What the state holds, by configuration."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show an `UssError` as its message, without a traceback: it is written for the person who runs `pulumi`."""
    try:
        yield
    except UssError as error:
        approvable = isinstance(error, GuardError) and error.approvable
        document.hand_over_stop(str(error), approvable=approvable)
        raise pulumi.RunError(str(error)) from None


def load_settings() -> Settings:
    """Read and check the stack's configuration; raise `ConfigurationError`."""
    source = f"stacks/Pulumi.{pulumi.get_stack()}.yaml"
    config = pulumi.Config("uss")
    try:
        value = config.get_object("configurations")
    except pulumi.ConfigTypeError as error:
        raise ConfigurationError(f"{source}: {KEY} is not a list of configurations.") from error
    secret = config.get("ksmConfig")
    if secret and not pulumi.runtime.is_config_secret("uss:ksmConfig"):
        raise ConfigurationError(
            f"{source}: uss:ksmConfig stands there in clear. Take it out, make a new client in Keeper in place of the "
            "one that it shows, and set it with `pulumi config set --secret uss:ksmConfig`."
        )
    configurations = parse_configurations(value, source, secret=pulumi.runtime.is_config_secret(KEY))
    approvals = parse_approvals(os.environ.get(VARIABLE, ""))
    return Settings(source, configurations, find_access(secret), approvals)


def begin_reading(settings: Settings) -> Callable[[], Snapshot]:
    """Begin to read the vault, once for all configurations, and return what waits for it.

    It is not read at all when every configuration is disabled.
    """
    if not any(configuration.enabled for configuration in settings.configurations):
        return lambda: Snapshot(folders={}, records=())
    return partial(VaultReading(settings.access).snapshot, pulumi.log.info)


def warn_of_logs() -> None:
    """Warn where the engine writes values down: before it is asked for the state, which holds some."""
    _warn(exposure.of_engine(exposure.running()))


def make_plan(settings: Settings, snapshot: Snapshot, state: StackState) -> Plan:
    """Build the plan from what the vault and the state hold."""
    plan = build_plan(settings.configurations, snapshot, _holdings(state), CLOUDS, _ownership(), settings.source)
    # The key is Keeper's, and a plan of nothing needs none.
    return with_digests(plan, settings.access.plan_key()) if plan.configurations or plan.removed else plan


def check(plan: Plan, approvals: Mapping[str, str]) -> Plan:
    """Return the plan with what was approved of it.

    Raises `GuardError` for an approval of another plan, and when a rule of safety stops the run; the plan is shown
    then, for whoever has to decide.
    """
    try:
        plan = approve(plan, approvals)
        guards.check(plan)
    except GuardError:
        show(plan)
        raise
    return plan


async def look(plan: Plan, state: StackState) -> Outlook:
    """Register the providers, and settle the plan with what the clouds say they hold already.

    Raises `CloudError` when clouds do not answer, and says so of all of them. Configurations to which nothing is
    applied are not asked for.
    """
    clouds = {part.cloud.type for part in plan.configurations if part.cloud}
    _warn(exposure.of_providers(exposure.running(), clouds, preview=pulumi.runtime.is_dry_run()))
    ownership = _ownership()
    resources = _by_configuration(plan, state)
    works = {
        part.name: _work(part, part.cloud, ownership, resources[part.name])
        for part in plan.configurations
        if part.cloud and not _stays(part)
    }

    holders = _holders(resources)

    async def settled(part: ConfigurationPlan) -> ConfigurationPlan:
        if part.cloud is None or part.name not in works:
            return part
        found = await resources_of(part.cloud.type).look(works[part.name])
        return settle(part, found, ownership, holders)

    answers = await asyncio.gather(*(settled(part) for part in plan.configurations), return_exceptions=True)
    parts = [answer for answer in answers if not isinstance(answer, BaseException)]
    if failures := [answer for answer in answers if isinstance(answer, BaseException)]:
        raise _together(failures) from failures[0]
    final = replace(plan, configurations=without_known(parts))
    works = {part.name: replace(works[part.name], plan=part) for part in final.configurations if part.name in works}
    return Outlook(final, works, resources)


def _work(part: ConfigurationPlan, cloud: Cloud, ownership: Ownership, resources: list[StateResource]) -> Work:
    return Work(part, ownership, resources_of(cloud.type).provider(part, ownership, resources), resources)


def _together(failures: list[BaseException]) -> BaseException:
    """All that went wrong as one error; what is no message for a person goes first, and alone."""
    other = next((failure for failure in failures if not isinstance(failure, CloudError)), None)
    return other or CloudError("\n".join(str(failure) for failure in failures))


def _holders(resources: Mapping[str, list[StateResource]]) -> dict[str, str]:
    """The IDs of all that the state holds, with the configurations that have it."""
    return {
        str(resource.outputs[key]): name
        for name, listed in resources.items()
        for resource in listed
        for key in ("arn", "id")
        if resource.outputs.get(key)
    }


def show(plan: Plan) -> None:
    """Show the plan in the engine's diagnostics, and hand it over to a command that asked for it."""
    document.hand_over(plan)
    pulumi.log.info(diagnostics.summary(plan))
    for part in plan.configurations:
        _warn(diagnostics.warnings(part))


def _warn(lines: list[str]) -> None:
    for line in lines:
        pulumi.log.warn(line)


async def declare(outlook: Outlook, state: StackState) -> dict[str, Any]:
    """Register the plan's resources and return the stack's outputs, by configuration."""
    last = _last_outputs(state)
    # Said until they are gone: an update that fails half-way must still know that these secrets are to be retained.
    outputs = {removed.name: last[removed.name] for removed in outlook.plan.removed if removed.retained}
    for part in outlook.plan.configurations:
        work, resources = outlook.works.get(part.name), outlook.resources.get(part.name, [])
        try:
            outputs[part.name] = await _declare(part, work, resources, state)
        except RegistrationError:
            outputs[part.name] = _postponed(pulumi.RunError(_NOT_ALL.format(part.name)))
        except UssError:
            raise
        except Exception as error:  # noqa: BLE001 - raised by the Output
            outputs[part.name] = _postponed(error)
            break
    return outputs


def _postponed(error: Exception) -> pulumi.Output[None]:
    """An Output that raises: the SDK keeps what it raises until everything else is done, and the stack the outputs that
    it has.
    """

    async def raising() -> None:
        raise error

    return pulumi.Output.from_input(raising())


def _stays(part: ConfigurationPlan) -> bool:
    """Whether everything of the configuration stays as the state holds it."""
    return part.mode is Mode.DISABLED or (part.mode is Mode.HOLD and not pulumi.runtime.is_dry_run())


async def _declare(
    part: ConfigurationPlan,
    work: Work | None,
    resources: list[StateResource],
    state: StackState,
) -> Any:
    if part.cloud is None or work is None:
        for cloud in CLOUDS.values():
            await paced(resources_of(cloud.type).keep(part.name, resources))
        if part.mode is Mode.HOLD:
            pulumi.log.warn(f"{part.name}: held, nothing was applied, because dryRun is true.")
        last = _last_outputs(state)
        return last.get(part.name) or last.get(part.configuration.formerly) or {"mode": part.mode.value}
    declared = await paced(resources_of(part.cloud.type).declare(work))
    _report_failures(declared)
    return diagnostics.output(part, {entry.record_uid: entry.outcome for entry in declared if entry.record_uid})


def _report_failures(declared: list[Declared]) -> None:
    """Tell where a cloud's success was none, and end an update as failed then.

    A preview only warns: it must not stand in the way of the update that mends it.
    """
    texts = [entry.failure for entry in declared if entry.failure]
    if pulumi.runtime.is_dry_run():
        for text in texts:
            pulumi.log.warn(text)
    elif texts:
        _postponed(pulumi.RunError("\n".join(texts)))


def _ownership() -> Ownership:
    return Ownership(project=pulumi.get_project(), stack=pulumi.get_stack())


def _holdings(state: StackState) -> Holdings:
    secrets: dict[str, list[HeldSecret]] = defaultdict(list)
    for cloud in CLOUDS.values():
        for held in cloud.held(state.resources):
            secrets[held.configuration].append(held)
    retaining = {
        name for name, output in _last_outputs(state).items() if output.get("onDelete") == OnDelete.RETAIN.value
    }
    records = {name: output.get("records", {}) for name, output in _last_outputs(state).items()}
    return Holdings(
        {name: tuple(held) for name, held in secrets.items()},
        revisions={name: _each(synced, "revision") for name, synced in records.items()},
        titles={name: _each(synced, "title") for name, synced in records.items()},
        retaining=frozenset(retaining),
    )


def _each(records: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, Any]:
    return {uid: record[key] for uid, record in records.items()}


def _by_configuration(plan: Plan, state: StackState) -> dict[str, list[StateResource]]:
    """A configuration's provider has its name; all else has it first in the logical name. What has a configuration's
    former name is its own.
    """
    names = {part.configuration.formerly: part.name for part in plan.configurations if part.configuration.formerly}
    grouped: dict[str, list[StateResource]] = defaultdict(list)
    for resource in state.resources:
        logical = LogicalName.parse(resource.name)
        name = logical.configuration if logical else resource.name.partition("@")[0]
        grouped[names.get(name, name)].append(resource)
    return grouped


def _last_outputs(state: StackState) -> Mapping[str, Any]:
    outputs = state.stack_outputs.get(OUTPUT)
    return outputs if isinstance(outputs, dict) else {}
