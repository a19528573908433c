"""Tests of the sandbox's Google Cloud."""
