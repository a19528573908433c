"""Tests of the stand-in providers: over gRPC as the engine speaks, and with the real engine."""
