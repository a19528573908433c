"""What the stack's last checkpoint holds, also after an update that failed half-way.

Read through the engine (`readStackResourceOutputs` on the stack's own name), which answers with every output, secret
values in clear included: nothing of it may be printed, and `repr` shows none of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pulumi

from uss.errors import StateError
from uss.state import StackState, StateResource
from uss.text import shown

_ATTEMPTS = 5
_PAUSE = 0.2
_STACK_TYPE = "pulumi:pulumi:Stack"


async def read_state() -> StackState:
    """Ask the engine for the running stack's last checkpoint; raise `StateError` when it does not answer."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    function, arguments = "pulumi:pulumi:readStackResourceOutputs", {"stackName": name}
    # By hand: every run would wait for the import of a library that does it.
    for left in reversed(range(_ATTEMPTS)):
        try:
            answer: Any = await pulumi.runtime.invoke_async(function, arguments)
            break
        except Exception as error:
            if not left:
                raise StateError(
                    f"The last checkpoint of the stack {name} could not be read: {shown(str(error))}. Nothing was "
                    "changed. Check the backend that PULUMI_BACKEND_URL or `pulumi login` names, and run it again."
                ) from error
            # A file backend finds a stack by listing its folder, and the engine puts a new checkpoint there just as the
            # program starts: now and then the stack is not found, for a moment.
            await asyncio.sleep(_PAUSE)
    return parse_state((answer or {}).get("outputs") or {})


def parse_state(outputs: Mapping[str, Mapping[str, Any]]) -> StackState:
    """Turn the engine's answer (by URN: `type` and `outputs`) into a `StackState`, in the order of the URNs."""
    resources = tuple(
        StateResource(urn=urn, type=entry["type"], name=urn.split("::", 3)[3], outputs=entry.get("outputs") or {})
        for urn, entry in sorted(outputs.items())
    )
    stack = next((resource.outputs for resource in resources if resource.type == _STACK_TYPE), {})
    return StackState(
        resources=tuple(resource for resource in resources if resource.type != _STACK_TYPE),
        stack_outputs=stack,
    )
