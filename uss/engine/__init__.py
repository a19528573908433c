"""What speaks to Pulumi's engine from inside the program: the last checkpoint, registrations, fewer messages.

Names, inputs and options of resources enter; what the engine answers leaves as values. Nothing in here imports a cloud,
the plan or a provider's SDK: the engine knows types and inputs only.
"""
