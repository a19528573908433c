"""The Pulumi program: the linked Keeper folders, declared as cloud secrets."""

import pulumi

from uss import guards, program
from uss.state import read_state

with program.plain_errors():
    settings = program.load_settings()
    state = read_state()
    snapshot = program.read_snapshot(settings)
    plan = program.make_plan(settings, snapshot, state)
    guards.check(plan)
    pulumi.export(program.OUTPUT, program.declare(plan, state))
