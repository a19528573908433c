"""Tests of what commands work with."""
