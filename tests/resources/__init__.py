"""Tests of what is asked of a cloud and declared there, as far as no engine is needed."""
