"""`uss watch`: the automatic sync. It looks at Keeper at an interval, and runs `pulumi up` when something changed."""
