"""The three platforms' APIs over a real socket, as much as is needed: comments on a pull request, and GitHub's tokens.

Each checks who asks, the path, the query and the body, as its documentation has them, and keeps what it is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "canary-of-the-comment-token"
PULL_REQUEST = 7
PAGE = 2
"""Entries of a page, however many are asked for, so that small tests see several."""
STRANGER = {"id": 1, "login": "mallory", "type": "User"}
SELF = {"id": 2, "login": "ci[bot]", "type": "Bot"}

Answer = tuple[int, Any]


@dataclass
class Entry:
    """A comment; `before` are its earlier texts."""

    id: int
    body: str
    author: dict[str, Any] = field(default_factory=lambda: SELF)
    before: list[str] = field(default_factory=list)
    deleted: bool = False


@dataclass
class StandIn:
    """What is on the pull request of each platform, and what was asked."""

    url: str
    comments: dict[str, list[Entry]] = field(default_factory=lambda: {"github": [], "gitlab": [], "azure": []})
    asked: list[str] = field(default_factory=list)
    denied: bool = False
    token: Callable[[str], str] | None = None
    """Gives GitHub's jobs a token for an audience."""

    def variables(self, platform: str) -> dict[str, str]:
        """What the platform sets in a job for the pull request."""
        return {
            "github": {
                "GITHUB_ACTIONS": "true",
                "GITHUB_API_URL": f"{self.url}/github",
                "GITHUB_REPOSITORY": "acme/secrets",
                "GITHUB_REF": f"refs/pull/{PULL_REQUEST}/merge",
                "GITHUB_TOKEN": TOKEN,
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/github/token?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": TOKEN,
            },
            "gitlab": {
                "GITLAB_CI": "true",
                "CI_API_V4_URL": f"{self.url}/gitlab/api/v4",
                "CI_MERGE_REQUEST_PROJECT_ID": "42",
                "CI_MERGE_REQUEST_IID": str(PULL_REQUEST),
                "USS_COMMENT_TOKEN": TOKEN,
            },
            "azure": {
                "TF_BUILD": "True",
                "SYSTEM_COLLECTIONURI": f"{self.url}/azure/acme/",
                "SYSTEM_TEAMPROJECTID": "9c1b",
                "BUILD_REPOSITORY_ID": "5d2e",
                "SYSTEM_PULLREQUEST_PULLREQUESTID": str(PULL_REQUEST),
                "SYSTEM_ACCESSTOKEN": TOKEN,
            },
        }[platform]

    def add(self, platform: str, body: str, author: dict[str, Any] | None = None) -> Entry:
        """Put a comment on the pull request."""
        entry = Entry(len(self.comments[platform]) + 11, body, author or SELF)
        self.comments[platform].append(entry)
        return entry

    def change(self, platform: str, number: int, body: str) -> Answer:
        """Change a comment, where it is the asking identity's own."""
        entry = next((entry for entry in self.comments[platform] if entry.id == number), None)
        if entry is None:
            return 404, {"message": "Not Found"}
        if entry.author != SELF:
            return 403, {"message": "Forbidden"}
        entry.before.append(entry.body)
        entry.body = body
        return 200, {"id": entry.id}


GITHUB = rf"/github/repos/acme/secrets/issues/(?:{PULL_REQUEST}/comments|comments/(?P<id>\d+))"
GITLAB = rf"/gitlab/api/v4/projects/42/merge_requests/{PULL_REQUEST}/notes(?:/(?P<id>\d+))?"
AZURE = (
    rf"/azure/acme/9c1b/_apis/git/repositories/5d2e/pullRequests/{PULL_REQUEST}/threads"
    r"(?:/(?P<thread>\d+)/comments/(?P<id>\d+))?"
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        state = self.server.state
        state.asked.append(f"{self.command} {self.path}")
        self._links: dict[str, str] = {}
        status, answer = (403, {"message": "denied"}) if state.denied else self._route(address.path, query, body)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for relation, link in self._links.items():
            self.send_header("Link", f'<{link}>; rel="{relation}"')
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - the names that the server looks for

    def _route(self, path: str, query: dict[str, str], body: Any) -> Answer:
        if path == "/github/token" and self.command == "GET" and self.server.state.token:
            asked = self.headers["Authorization"] == f"Bearer {TOKEN}" and query.get("api-version") == "2.0"
            return (200, {"value": self.server.state.token(query["audience"])}) if asked else (401, {})
        if match := re.fullmatch(GITHUB, path):
            return self._github(match["id"], query, body)
        if path == "/gitlab/api/v4/user" and self.command == "GET":
            return (200, SELF) if self.headers["PRIVATE-TOKEN"] == TOKEN else (401, {})
        if match := re.fullmatch(GITLAB, path):
            return self._gitlab(match["id"], query, body)
        if match := re.fullmatch(AZURE, path):
            return self._azure(match["thread"], match["id"], query, body)
        return 404, {"message": "Not Found"}

    def _github(self, number: str | None, query: dict[str, str], body: Any) -> Answer:
        if self.headers["Authorization"] != f"Bearer {TOKEN}" or not self.headers["X-GitHub-Api-Version"]:
            return 401, {"message": "Bad credentials"}
        if self.headers["Accept"] != "application/vnd.github+json":
            return 415, {}
        return self._notes("github", "PATCH", "user", number, query, body)

    def _gitlab(self, number: str | None, query: dict[str, str], body: Any) -> Answer:
        if self.headers["PRIVATE-TOKEN"] != TOKEN:
            return 401, {"message": "401 Unauthorized"}
        return self._notes("gitlab", "PUT", "author", number, query, body)

    def _notes(
        self, platform: str, change: str, author: str, number: str | None, query: dict[str, str], body: Any
    ) -> Answer:
        state = self.server.state
        if self.command == "GET" and number is None:
            page, entries = int(query.get("page", "1")), state.comments[platform]
            if page * PAGE < len(entries):
                path = self.path.partition("?")[0]
                self._links["next"] = f"{state.url}{path}?per_page={query['per_page']}&page={page + 1}"
            shown = entries[(page - 1) * PAGE : page * PAGE]
            return 200, [{"id": entry.id, "body": entry.body, author: entry.author} for entry in shown]
        if body is None or body.keys() != {"body"}:
            return 422, {"message": "Validation Failed"}
        if self.command == "POST" and number is None:
            return 201, {"id": state.add(platform, body["body"]).id}
        if self.command == change and number:
            return state.change(platform, int(number), body["body"])
        return 405, {}

    def _azure(self, thread: str | None, number: str | None, query: dict[str, str], body: Any) -> Answer:
        state = self.server.state
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return 203, "a page for signing in"
        if query != {"api-version": "7.1"}:
            return 400, {"message": "No api-version was supplied"}
        if self.command == "GET" and thread is None:
            threads: list[Any] = [{"id": 1, "comments": []}, {"id": 2}]
            for entry in state.comments["azure"]:
                comment = {"id": 1, "content": entry.body, "commentType": "text", "author": entry.author}
                threads.append({"id": entry.id, "isDeleted": entry.deleted, "comments": [comment]})
            return 200, {"count": len(threads), "value": threads}
        if self.command == "POST" and thread is None:
            (comment,) = body["comments"]
            if (comment["parentCommentId"], comment["commentType"], body["status"]) != (0, "text", "closed"):
                return 400, {}
            return 200, {"id": state.add("azure", comment["content"]).id}
        if self.command == "PATCH" and thread and number == "1" and body.keys() == {"content"}:
            return state.change("azure", int(thread), body["content"])
        return 405, {}

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    state: StandIn
    daemon_threads = True


@contextmanager
def running_stand_in() -> Iterator[StandIn]:
    """Serve the three APIs on a port of this machine."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.state = StandIn(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.state
        finally:
            server.shutdown()
            thread.join()
