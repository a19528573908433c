"""Tests of the clouds' pure parts."""
