"""The plan of a run: made from configurations, the vault and the state, settled with what the clouds hold, guarded.

The snapshot, the state's resources and the clouds' findings enter; a `Plan` leaves, or an error that stops the run.
Nothing in here has effects, and nothing imports Pulumi, a vendor's SDK or whoever declares and shows the plan.
"""
