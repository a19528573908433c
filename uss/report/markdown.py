"""The plan as a comment on a pull request, in the Markdown that GitHub, GitLab and Azure DevOps have in common.

Titles and names come from the vault, where anybody with a record can write them: none of them may become markup, a
link or a mention.
"""

from __future__ import annotations

from collections.abc import Iterator

from uss.planning.plan import Mode
from uss.report.document import ConfigurationDocument, PlanDocument, RecordLine
from uss.report.text import counted, ordered, standing
from uss.text import shown

_ROOM = 60_000
"""Characters: GitHub takes 65,536 in a comment, the others more."""
_PLAIN = frozenset(" -/,;()'=")


def comment(stack: str, document: PlanDocument, problem: str) -> str:
    """Return the comment. Rows for which there is no room are counted."""
    head = [f"### Secrets sync: stack {_code(stack)}", "", _verdict(document, problem), ""]
    if problem:
        head += [f"> **{'Stopped' if document.stopped else 'Failed'}:** {line}" for line in _quoted(problem)] + [""]
    room = _ROOM - sum(len(line) + 1 for line in head)
    body: list[str] = []
    left_out = 0
    for line in (line for part in document.configurations for line in _configuration(part)):
        room -= len(line) + 1
        if room < 0 and line.startswith("|"):
            left_out += 1
        else:
            body.append(line)
    end = [f"{left_out} more rows have no room here: `uss plan` prints all.", ""] if left_out else []
    return "\n".join([*head, *body, *end]).rstrip()


def _verdict(document: PlanDocument, problem: str) -> str:
    changes = sum(len(part.changes) for part in document.configurations)
    refused = sum(len(part.refused) for part in document.configurations)
    held = [part.name for part in document.configurations if part.mode == Mode.HOLD and part.changes]
    parts = [f"**{changes} to change**" if changes else "**Nothing to change**"]
    if refused:
        parts.append(f"{refused} refused")
    if held:
        parts.append(f"held until approved: {', '.join(_code(name) for name in held)}")
    return ", ".join(parts) + ("" if problem else ".")


def _configuration(part: ConfigurationDocument) -> Iterator[str]:
    plan = f" (plan `{part.digest}`)" if part.digest else ""
    yield f"#### {_code(part.name)}{f' in {part.cloud}' if part.cloud else ''}: {counted(part)}{plan}"
    yield ""
    if text := standing(part):
        yield text
        yield ""
    changes = ordered(part)
    if changes:
        yield "| | secret | record | why |"
        yield "|---|---|---|---|"
        yield from (f"| {line.change} | {_code(line.name)} | {_record(line)} | {_text(line.why)} |" for line in changes)
        yield ""
    if part.refused:
        yield "| not synced | why | what to do |"
        yield "|---|---|---|"
        yield from (f"| {_record(line)} | {_text(line.why)} | {_text(line.mend)} |" for line in part.refused)
        yield ""
    if part.warnings:
        yield from (f"- {_text(warning)}" for warning in part.warnings)
        yield ""
    if part.approval and not part.approved and part.mode != Mode.SYNC:
        yield f"To apply exactly this: `{part.approval}`"
        yield ""


def _record(line: RecordLine) -> str:
    title = f"{_text(shown(line.title))} " if line.title else ""
    return f"{title}{_code(line.record)}"


def _quoted(problem: str) -> list[str]:
    return [_text(line) for line in problem.splitlines() if line.strip()]


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    """The text with everything but letters, digits and a few harmless characters as HTML's numbers for them."""
    return "".join(
        character if (character.isascii() and character.isalnum()) or character in _PLAIN else f"&#{ord(character)};"
        for character in text
    )
