"""The whole sync, run by the real engine in the sandbox."""
