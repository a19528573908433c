"""One record by itself: its name in a cloud, its value as the cloud gets it, and what it tells of its origin.

A record of the vault enters; a name, a payload or a fault in words leaves, the same at every time and place. Nothing in
here imports a cloud, the plan, Pulumi or a vendor's SDK.
"""
