"""Tests of what runs the watch in production."""
