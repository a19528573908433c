"""The pages and their blocks of commands. `sh` blocks are run; `shell` blocks hold what cannot be run here."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language and its lines."""

    page: str
    language: str
    lines: tuple[str, ...]


def blocks() -> list[Block]:
    """All blocks, in the order of the pages."""
    return [
        Block(page.name, match[2], tuple(line.removeprefix(match[1]) for line in match[3].splitlines()))
        for page in PAGES
        for match in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


def commands(block: Block) -> list[list[str]]:
    """The block's commands, each as its words, without variables before it and without what its output goes to."""
    found = []
    for line in block.lines:
        words = shlex.split(line, comments=True)
        for part in _parts(words):
            while part and (re.fullmatch(r"[A-Z_]+=.*", part[0], re.DOTALL) or part[0] == "sudo"):
                part = part[1:]
            if part:
                found.append(part[: part.index(">")] if ">" in part else part)
    return found


def _parts(words: list[str]) -> list[list[str]]:
    """A line's commands, one after the other or one into the other."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in ("&&", "|"):
            parts.append([])
        else:
            parts[-1].append(word)
    return parts
