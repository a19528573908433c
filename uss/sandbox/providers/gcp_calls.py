"""Calls of Secret Manager as the real provider quotes them: with Google's own host, whatever host they go to here."""

from __future__ import annotations

from urllib.parse import urlencode

from uss.sandbox.providers.values import Properties

_HOST = "https://secretmanager.googleapis.com/v1"
_CALLS = {
    "access_secret_version": ("Get", ":access"),
    "add_secret_version": ("Post", ":addVersion"),
    "create_secret": ("Post", "/secrets"),
    "delete_secret": ("Delete", ""),
    "destroy_secret_version": ("Post", ":destroy"),
    "disable_secret_version": ("Post", ":disable"),
    "enable_secret_version": ("Post", ":enable"),
    "get_secret": ("Get", ""),
    "get_secret_version": ("Get", ""),
    "list_secrets": ("Get", "/secrets"),
    "update_secret": ("Patch", ""),
}
"""By the method of Google's client, Go's name of the HTTP method, and what follows the resource's name."""


def quoted(method: str, request: Properties) -> str:
    """Return a call by the method of Google's client and its request: `Get "https://..."`."""
    verb, suffix = _CALLS[method]
    name = request.get("name") or request.get("parent") or request["secret"].name
    parameters = {
        "alt": "json",
        "filter": request.get("filter"),
        "pageToken": request.get("page_token"),
        "secretId": request.get("secret_id"),
        "updateMask": ",".join(request.get("update_mask", {}).get("paths", [])),
    }
    query = urlencode({key: value for key, value in parameters.items() if value})
    return f'{verb} "{_HOST}/{name}{suffix}?{query}"'
