"""Tests of the way from a cloud's secrets to Keeper records."""
