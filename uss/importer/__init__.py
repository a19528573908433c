"""The one-time import of secrets that a cloud holds already into Keeper, and `uss adopt`. The sync imports none of it.

A cloud's secrets enter, by `readers/`; records in Keeper leave, and lines in a stack file. Nothing in here imports the
program, another command or a provider's SDK, and nothing is written to a cloud.
"""
