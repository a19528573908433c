"""`uss watch`: the automatic sync. It looks at Keeper at an interval, and runs `pulumi up` when something changed.

What is linked in Keeper enters; runs, a journal and metrics leave. Nothing in here imports the program, another command
or a cloud's resources: a run is a process of its own.
"""
