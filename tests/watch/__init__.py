"""Tests of the automatic sync."""
