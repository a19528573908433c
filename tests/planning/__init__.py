"""Tests of the plan, from its building to its guards."""
