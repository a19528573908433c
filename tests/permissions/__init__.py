"""Tests of the printed policies."""
