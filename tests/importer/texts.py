"""Values that a reader must give back as they are."""

from __future__ import annotations

EXACT = {
    "json": '{ "b" :1,\n\t"a":  [ true ,null ]  }\r\n',
    "pairs": "USER=app\nPASSWORD=p=ss word\n",
    "lines": "  first\r\n\r\nlast  ",
    "foreign": "pässwörd 密码 🔑\u200b\u0000\ufeff",
    "marked": "\ufeffvalue",
    "long": "é" * 12_000,
}
LARGEST = {"largest": "x" * 60_000}

CANARY = "canary-of-the-cloud-secret"


def showing(error: BaseException) -> str:
    """All that a report of an error could show: texts and reprs of it and of what it was chained from."""
    shown, cause = "", error
    while True:
        shown += f"{cause} {cause!r} {cause.__dict__!r}"
        following = cause.__cause__
        if following is None:
            return shown
        cause = following
