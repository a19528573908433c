"""`uss comment`: the plan on the pull request that a pipeline's job is for."""

from __future__ import annotations

import os
import sys

import click
import requests

from uss.report.comments import find_platform
from uss.workplace.terminal import plain_errors, say

_NOTHING = "**There is no plan.** The job failed before it had one: its log says why."


@click.command("comment")
@click.option("--stack", required=True, help="The stack that the plan is of: each has a comment of its own.")
def comment_command(stack: str) -> None:
    """Put the Markdown from the standard input on this job's pull request, in place of the stack's last one.

    For a job of GitHub Actions, GitLab CI or Azure Pipelines: uss plan --markdown | uss comment.
    """
    text = sys.stdin.buffer.read().decode("utf-8", "replace").strip()
    marker = f"<!-- uss plan {stack.replace('--', '-')} -->"
    with plain_errors(), requests.Session() as session:
        updated = find_platform(os.environ, session).put(text or _NOTHING, marker)
    say(f"The comment on the pull request was {'updated' if updated else 'written'}.")
