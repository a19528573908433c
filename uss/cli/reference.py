"""The page of all keys, from the models: `uss schema --markdown`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from uss.config import CLOUD_FIELDS, Configuration, Limits, json_schema

_HEAD = """\
# Reference of the keys

Every key of an entry of `uss:configurations` in `stacks/Pulumi.<stack>.yaml`, generated from the models
(`make reference`). What keys do together is in [configuration.md](configuration.md). Editors check a stack file
against `stacks/schema.json`, which `uss schema` prints.

A stack file with the keys that most need:

```yaml
config:
  uss:configurations:
    - name: production-aws
      pamConfiguration: PAMCONFIG-aws-00000001
      syncIdentity: arn:aws:iam::123456789012:role/keeper-uss
      folders: [Production]
      includeSubfolders: true
```
"""
_CLOUDS = {"aws": "AWS", "azure": "Azure", "gcp": "GCP"}


def reference() -> str:
    """Return the page: the keys for all clouds, those of one, and those of `limits`."""
    owner = {name: cloud for cloud, names in CLOUD_FIELDS.items() for name in names}
    fields = Configuration.model_fields
    text = [_HEAD, "## For every cloud\n", *_table(Configuration, [name for name in fields if name not in owner])]
    for cloud, title in _CLOUDS.items():
        text += [
            f"\n## For {title} only\n",
            *_table(Configuration, [name for name in fields if owner.get(name) == cloud]),
        ]
    text += ["\n## limits\n", *_table(Limits, Limits.model_fields, "limits.")]
    return "\n".join(text) + "\n"


def _table(model: type[Configuration | Limits], names: Iterable[str], prefix: str = "") -> Iterator[str]:
    definitions = json_schema()["$defs"]
    yield "| key | type | default | what it does | example |"
    yield "|---|---|---|---|---|"
    for name in names:
        field = model.model_fields[name]
        key = field.alias or name
        kind = _type(definitions[model.__name__]["properties"][key], definitions)
        default = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        example = f"`{_value(field.examples[0])}`" if field.examples else ""
        yield f"| `{prefix}{key}` | {kind} | {default} | {field.description} | {example} |"


def _type(about: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "$ref" in about:
        return _type(definitions[about["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in about:
        return " or ".join(_type(part, definitions) for part in about["anyOf"] if part.get("type") != "null")
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    if about["type"] == "array":
        return f"list of {_type(about['items'], definitions)}s"
    if about["type"] == "object":
        return "keys below" if "properties" in about else "names and values"
    return {"boolean": "true or false", "integer": "whole number"}.get(about["type"], str(about["type"]))


def _default(value: Any) -> str:
    if isinstance(value, Limits):
        return ""
    return f"`{_value(value)}`" if value not in (None, "", [], {}) else "none"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
