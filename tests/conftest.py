"""What holds for all tests."""

from __future__ import annotations

import signal

# A CI may run its steps with interrupts ignored, and processes inherit that: then a test's interrupt has no effect, and
# the engine waits five seconds for each plugin that it asks to end. A handler of our own is not inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
