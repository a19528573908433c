"""Where a command works: its terminal, its stack file, and one configuration with the vault it links.

The stack that a person named enters; the opened file and vault leave, or an error for that person. Nothing in here
imports a command, and nothing is changed but the stack file, where a command asks for it.
"""
