"""The page on trouble quotes what the code says, and leaves out no error."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT
from uss import errors
from uss.planning.plan import Reason

PAGE = ROOT / "docs" / "troubleshooting.md"
HOLE = "…"
"""What stands in for the parts of a message that differ, on the page and here."""
CODE = [path for path in sorted((ROOT / "uss").rglob("*.py")) if "sandbox" not in path.parts]
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type)}
OUTSIDE = {
    "Cannot assume IAM Role": "Pulumi's AWS provider",
    "AADSTS700213": "Azure",
    "AccessDeniedException": "AWS",
    "InvalidIdentityToken": "AWS",
    "invalid_grant": "GCP",
    "Gaia id not found": "GCP",
    "Identity not found": "Azure",
    "ManagedIdentityCredential": "Azure",
    "is not authorized to perform: secretsmanager:…": "AWS",
    "ResourceExistsException": "AWS",
    "cannot create already existing resource": "Pulumi's Azure provider",
    "VaultAlreadyExists": "Azure",
    "Permission 'iam.serviceAccounts.getAccessToken' denied": "GCP",
    "private key should be a PEM …": "GCP",
    "failed to parse private key": "GCP",
    "the stack is currently locked": "Pulumi's engine",
    "no stack named … found": "Pulumi's engine",
    "incorrect passphrase": "Pulumi's engine",
}
"""Messages that come from elsewhere, and from where: the code cannot tell when these change."""


def text_of(node: ast.AST) -> str | None:
    """A string or an f-string as a text with holes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
    return None


def texts_of_the_code() -> Iterator[str]:
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if text := text_of(node):
                yield text


def errors_of_the_code() -> Iterator[str]:
    """What is given to the constructor of one of the project's own errors, where it is written there."""
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS):
                continue
            text = text_of(node.args[0]) if node.args else None
            if text and re.search("[a-z]", text):
                yield text


def messages_of(page: str) -> list[str]:
    """The code spans in the first column of tables that begin with a message."""
    found: list[str] = []
    quoting = False
    for line in page.splitlines():
        first = line.split(" | ")[0] if line.startswith("| ") else ""
        if not first:
            quoting = quoting and line.startswith("|")
        elif first == "| message":
            quoting = True
        elif quoting:
            found += re.findall(r"`([^`]+)`", first)
    return found


def covers(message: str, text: str) -> bool:
    return re.search(".*".join(map(re.escape, message.split(HOLE))), text, re.DOTALL) is not None


TEXTS = frozenset(texts_of_the_code())
MESSAGES = messages_of(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("message", [message for message in MESSAGES if message not in OUTSIDE])
def test_a_message_on_the_page_stands_in_the_code(message: str) -> None:
    assert any(covers(message, text) for text in TEXTS)


@pytest.mark.parametrize("error", sorted(set(errors_of_the_code())))
def test_the_page_has_a_row_for_an_error_of_the_code(error: str) -> None:
    assert any(covers(message, error) for message in MESSAGES)


@pytest.mark.parametrize("reason", Reason)
def test_the_page_has_a_row_for_a_reason_of_a_refusal(reason: Reason) -> None:
    assert f"\n| {reason.value} | " in PAGE.read_text(encoding="utf-8")


def test_messages_from_elsewhere_are_on_the_page() -> None:
    assert OUTSIDE.keys() <= set(MESSAGES)


def test_a_message_that_the_code_does_not_say_is_found() -> None:
    told = messages_of(
        "| message | background |\n|---|---|\n| `no such … words are in it` | x |\n\n| key |\n| `other` |"
    )
    assert told == ["no such … words are in it"]
    assert not any(covers(told[0], text) for text in TEXTS)
