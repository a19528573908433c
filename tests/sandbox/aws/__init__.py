"""Tests of the sandbox's AWS, over HTTP with boto3."""
