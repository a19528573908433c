"""The Pulumi program: the linked Keeper folders, declared as cloud secrets."""

import pulumi

from uss.engine.quiet import with_rare_garbage_collection, without_debug_messages

with_rare_garbage_collection()

from uss import program  # noqa: E402 - to import it takes a fifth less where the collector runs seldom
from uss.engine.state import read_state  # noqa: E402 - the same


async def main() -> pulumi.Inputs:
    """Load, read, plan, guard, look, declare; return the stack's outputs."""
    without_debug_messages()
    with program.plain_errors():
        settings = program.load_settings()
        snapshot = program.begin_reading(settings)
        program.warn_of_logs()
        state = await read_state()
        plan = program.check(program.make_plan(settings, snapshot(), state), settings.approvals)
        outlook = await program.look(plan, state)
        program.show(outlook.plan)
        return {program.OUTPUT: await program.declare(outlook, state)}


pulumi.run(main)
