"""Tests of runs for the commands."""
