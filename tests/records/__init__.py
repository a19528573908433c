"""Tests of one record by itself."""
