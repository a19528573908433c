"""Tests of reading the vault."""
