"""Whose jobs sign in by OpenID Connect: a CI's project, and what its tokens say.

Sources: GitHub, "OpenID Connect reference"; GitLab, "OpenID Connect (OIDC) authentication using ID tokens".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_GITHUB = re.compile(r"github:(?P<project>[\w.-]+/[\w.-]+)(?::(?P<environment>[^:*?'\\]+))?", re.ASCII)
_GITLAB = re.compile(r"gitlab:(?P<project>[\w.-]+(/[\w.-]+)+)", re.ASCII)


@dataclass(frozen=True)
class Federation:
    """The jobs of one project."""

    platform: Literal["github", "gitlab"]
    issuer: str
    """Its host: the address is https:// and that."""
    subjects: tuple[str, ...]
    """What the tokens say whose they are (`sub`)."""
    beginning: bool = False
    """Whether the subjects are only what it begins with."""


def parse_federation(text: str) -> Federation:
    """Return whose jobs are meant; raise `ValueError` for a text of another form."""
    if match := _GITHUB.fullmatch(text):
        return _github(match["project"], match["environment"])
    if match := _GITLAB.fullmatch(text):
        # A merge request's pipeline runs on its branch, and the preview is there.
        subject = f"project_path:{match['project']}:ref_type:branch:ref:"
        return Federation("gitlab", "gitlab.com", (subject,), beginning=True)
    raise ValueError("give github:OWNER/REPO, github:OWNER/REPO:ENVIRONMENT or gitlab:GROUP/PROJECT")


def _github(project: str, environment: str | None) -> Federation:
    """Without an environment, the jobs of pull requests and of the branch `main`: the preview and the update."""
    subjects = (f"environment:{environment}",) if environment else ("pull_request", "ref:refs/heads/main")
    told = tuple(f"repo:{project}:{subject}" for subject in subjects)
    return Federation("github", "token.actions.githubusercontent.com", told)
