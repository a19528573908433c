"""Tests of the local Azure."""
