"""Runs of the Pulumi program for the commands, through Pulumi's Automation API, and what the engine changes besides.

A stack's name and folder enter; what the run planned and did leaves as values. Nothing in here imports the program, the
clouds' resources or a command: the program runs as a process of its own.
"""
