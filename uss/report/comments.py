"""A comment on a pull request that is kept up to date, on GitHub, GitLab and Azure Repos.

Where and on which pull request, the platform's own variables say; they are there in every job. The comment is found
again by a marker that nobody sees. A marker in somebody else's comment counts for nothing: its author could change the
plan that others read there.

Sources: GitHub, "REST API endpoints for issue comments"; GitLab, "Notes API"; Azure DevOps, "Pull Request Threads".
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import requests

from uss.errors import CommentError

_SECONDS = 30
_PULL_REQUEST = re.compile(r"refs/pull/(\d+)/merge")


@dataclass(frozen=True)
class Comment:
    """A comment as the platform has it: the address at which it is changed, and its text."""

    address: str
    body: str


class _Identity(requests.auth.AuthBase):
    """Headers that say who asks."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


class Platform(ABC):
    """A pull request on one of the platforms."""

    name: ClassVar[str]
    token: ClassVar[str]
    """The variable that holds the token."""
    rights: ClassVar[str]
    """What the token must be allowed, for people."""
    change: ClassVar[str]
    """The method that changes a comment."""

    def __init__(self, variables: Mapping[str, str], session: requests.Session) -> None:
        self._variables = variables
        self._session = session
        # As the session's own `auth`: headers alone would yield to an entry in a ~/.netrc.
        session.auth = _Identity(self._identity(self._variable(self.token)))

    @abstractmethod
    def _identity(self, token: str) -> dict[str, str]:
        """Return the headers that say who asks."""

    @property
    @abstractmethod
    def _comments(self) -> str:
        """Where the pull request's comments are."""

    @abstractmethod
    def _own(self) -> Iterator[Comment]:
        """Return the comments that this token's identity may have written."""

    def _new(self, body: str) -> dict[str, Any]:
        return {"body": body}

    def _changed(self, body: str) -> dict[str, Any]:
        return {"body": body}

    def put(self, body: str, marker: str) -> bool:
        """Write the comment, in place of the one with the marker; return whether there was one."""
        body = f"{marker}\n{body}"
        for comment in self._own():
            if comment.body.startswith(marker):
                if comment.body != body:
                    self._ask(self.change, comment.address, self._changed(body))
                return True
        self._ask("POST", self._comments, self._new(body))
        return False

    def _variable(self, name: str) -> str:
        if value := self._variables.get(name):
            return value
        raise CommentError(
            f"{name} is not set: `uss comment` needs it on {self.name}, in a job for a pull request. "
            f"The token is {self.token}; it must be allowed {self.rights}."
        )

    def _pages(self, address: str) -> Iterator[Any]:
        """Return the entries of a list that comes in pages."""
        following: str | None = address
        while following:
            answer = self._ask("GET", following)
            yield from answer.json()
            following = answer.links.get("next", {}).get("url")

    def _ask(self, method: str, address: str, body: dict[str, Any] | None = None) -> requests.Response:
        try:
            # A refused token may lead to a page for signing in, which is no answer.
            answer = self._session.request(method, address, json=body, timeout=_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            raise CommentError(f"{self.name} could not be reached for the comment ({type(error).__name__}).") from None
        if answer.status_code not in (200, 201):
            raise CommentError(
                f"{self.name} refused the comment: {method} {address.partition('?')[0]} was answered with the status "
                f"{answer.status_code}. The token in {self.token} must be allowed {self.rights}."
            )
        return answer


class GitHub(Platform):
    """A pull request on GitHub."""

    name = "GitHub"
    token = "GITHUB_TOKEN"  # noqa: S105 - a variable's name
    rights = "`pull-requests: write`"
    change = "PATCH"

    def _identity(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    @property
    def _issues(self) -> str:
        return f"{self._variable('GITHUB_API_URL')}/repos/{self._variable('GITHUB_REPOSITORY')}/issues"

    @property
    def _comments(self) -> str:
        match = _PULL_REQUEST.fullmatch(self._variable("GITHUB_REF"))
        if match is None:
            raise CommentError("This job is not for a pull request: GITHUB_REF is not refs/pull/<number>/merge.")
        return f"{self._issues}/{match[1]}/comments"

    def _own(self) -> Iterator[Comment]:
        for entry in self._pages(f"{self._comments}?per_page=100"):
            if (entry.get("user") or {}).get("type") == "Bot":  # a job's token is an app's
                yield Comment(f"{self._issues}/comments/{entry['id']}", entry.get("body") or "")


class GitLab(Platform):
    """A merge request on GitLab. A job's own token may not comment, so it is a project access token."""

    name = "GitLab"
    token = "USS_COMMENT_TOKEN"  # noqa: S105 - a variable's name
    rights = "the scope `api` with the role Reporter"
    change = "PUT"

    def _identity(self, token: str) -> dict[str, str]:
        return {"PRIVATE-TOKEN": token}

    @property
    def _comments(self) -> str:
        project, request = self._variable("CI_MERGE_REQUEST_PROJECT_ID"), self._variable("CI_MERGE_REQUEST_IID")
        return f"{self._variable('CI_API_V4_URL')}/projects/{project}/merge_requests/{request}/notes"

    def _own(self) -> Iterator[Comment]:
        me = self._ask("GET", f"{self._variable('CI_API_V4_URL')}/user").json()["id"]
        for entry in self._pages(f"{self._comments}?per_page=100"):
            if entry["author"]["id"] == me:
                yield Comment(f"{self._comments}/{entry['id']}", entry["body"])


class AzureRepos(Platform):
    """A pull request on Azure Repos, where nobody can change a comment but its author."""

    name = "Azure DevOps"
    token = "SYSTEM_ACCESSTOKEN"  # noqa: S105 - a variable's name
    rights = "`Contribute to pull requests` on the repository"
    change = "PATCH"
    _VERSION = "api-version=7.1"

    def _identity(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    @property
    def _threads(self) -> str:
        collection = self._variable("SYSTEM_COLLECTIONURI").rstrip("/")
        project, repository = self._variable("SYSTEM_TEAMPROJECTID"), self._variable("BUILD_REPOSITORY_ID")
        request = self._variable("SYSTEM_PULLREQUEST_PULLREQUESTID")
        return f"{collection}/{project}/_apis/git/repositories/{repository}/pullRequests/{request}/threads"

    @property
    def _comments(self) -> str:
        return f"{self._threads}?{self._VERSION}"

    def _own(self) -> Iterator[Comment]:
        for thread in self._ask("GET", self._comments).json()["value"]:
            first = next(iter(thread.get("comments") or ()), None)
            if first and not thread.get("isDeleted") and not first.get("isDeleted"):
                address = f"{self._threads}/{thread['id']}/comments/{first['id']}?{self._VERSION}"
                yield Comment(address, first.get("content") or "")

    def _new(self, body: str) -> dict[str, Any]:
        # Closed: it asks nobody for an answer, which a branch policy might wait for.
        comment = {"parentCommentId": 0, "content": body, "commentType": "text"}
        return {"comments": [comment], "status": "closed"}

    def _changed(self, body: str) -> dict[str, Any]:
        return {"content": body}


_PLATFORMS: dict[str, type[Platform]] = {"GITHUB_ACTIONS": GitHub, "GITLAB_CI": GitLab, "TF_BUILD": AzureRepos}
"""By the variable that each sets in its jobs."""


def find_platform(variables: Mapping[str, str], session: requests.Session) -> Platform:
    """Return the pull request that this job is for; raise `CommentError` outside of such a job."""
    for variable, platform in _PLATFORMS.items():
        if variables.get(variable, "").lower() == "true":
            return platform(variables, session)
    raise CommentError(
        "This is no job of GitHub Actions, GitLab CI or Azure Pipelines: none of "
        f"{', '.join(_PLATFORMS)} is true. Outside of them, read the plan itself: `uss plan`."
    )
