"""The service's URLs: which operation a request is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from uss.sandbox.keeper.envelope import Envelope
from uss.sandbox.keeper.exceptions import UnknownEndpointError
from uss.sandbox.keeper.responses import FILES, UPLOADS, Answer, KeeperResponses

API = "/api/rest/sm/v1/"
UPLOAD_FILE = "upload_file"
DOWNLOAD_FILE = "download_file"

ENDPOINTS: Mapping[str, Callable[[KeeperResponses, Envelope], Answer]] = {
    "get_secret": KeeperResponses.get_secret,
    "get_folders": KeeperResponses.get_folders,
    "create_secret": KeeperResponses.create_secret,
    "update_secret": KeeperResponses.update_secret,
    "finalize_secret_update": KeeperResponses.finalize_secret_update,
    "rollback_secret_update": KeeperResponses.rollback_secret_update,
    "delete_secret": KeeperResponses.delete_secret,
    "create_folder": KeeperResponses.create_folder,
    "update_folder": KeeperResponses.update_folder,
    "delete_folder": KeeperResponses.delete_folder,
    "add_file": KeeperResponses.add_file,
}


@dataclass(frozen=True)
class Route:
    """What a request is for."""

    operation: str
    """An endpoint's name, `upload_file` or `download_file`."""
    record_uid: str = ""
    file_uid: str = ""
    signature: str = ""
    """What the last three are for: the file to download."""


def route(method: str, target: str) -> Route:
    """Return the operation of a request line's method and target; raise `UnknownEndpointError`."""
    url = urlsplit(target)
    operation = url.path.removeprefix(API)
    if method == "POST" and url.path.startswith(API) and operation in ENDPOINTS:
        return Route(operation)
    if method == "POST" and url.path == UPLOADS:
        return Route(UPLOAD_FILE)
    parts = [unquote(part) for part in url.path.removeprefix(FILES).split("/")]
    if method == "GET" and url.path.startswith(FILES) and len(parts) == 2:
        signature = parse_qs(url.query).get("signature", [""])[0]
        return Route(DOWNLOAD_FILE, parts[0], parts[1], signature)
    raise UnknownEndpointError(f"The service has no {method} {url.path}")
