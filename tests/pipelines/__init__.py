"""Tests of the pipelines: the files in deploy/pipelines, and `uss comment`."""
