"""Tests of the sandbox's Keeper vault."""
