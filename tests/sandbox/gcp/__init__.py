"""Tests of the local GCP."""
