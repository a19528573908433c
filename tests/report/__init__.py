"""Tests of what people and other programs get to see."""
