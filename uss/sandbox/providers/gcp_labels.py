"""Which labels and annotations a resource has in the end: the program's, the provider's, and those of others.

Labels and annotations are not authoritative: what the program never named is left as it is. Behaviour after
`tpgresource/labels.go` and `annotations.go` of terraform-provider-google.
"""

from __future__ import annotations

from typing import Any

from uss.sandbox.providers.gcp_config import GcpConfig
from uss.sandbox.providers.values import UNKNOWN, Properties, contains_unknown

ATTRIBUTION_LABEL = "goog-pulumi-provisioned"


def merged(config: GcpConfig, olds: Properties, news: Properties) -> Properties:
    """Return `pulumiLabels`, `effectiveLabels` and `effectiveAnnotations` as they will be; `olds` is empty at first."""
    labels, annotations = news.get("labels") or {}, news.get("annotations") or {}
    result: Properties = dict.fromkeys(("pulumiLabels", "effectiveLabels", "effectiveAnnotations"), UNKNOWN)
    if not contains_unknown(labels):
        managed = config.default_labels | _attribution(config, olds) | labels
        result["pulumiLabels"] = managed
        result["effectiveLabels"] = _over(olds, "effectiveLabels", "pulumiLabels", managed)
    if not contains_unknown(annotations):
        result["effectiveAnnotations"] = _over(olds, "effectiveAnnotations", "annotations", annotations)
    return result


def split(held: Properties, settings: Properties, labels: dict[str, str], annotations: dict[str, str]) -> Properties:
    """Return the outputs of what the cloud holds: `settings` and `held` tell which keys are the program's and ours."""
    return {
        "labels": _only(labels, settings.get("labels")),
        "annotations": _only(annotations, settings.get("annotations")),
        "pulumiLabels": _only(labels, held.get("pulumiLabels")),
        "effectiveLabels": labels,
        "effectiveAnnotations": annotations,
    }


def _attribution(config: GcpConfig, olds: Properties) -> dict[str, str]:
    proactive = config.pulumi_attribution_label_addition_strategy == "PROACTIVE"
    if not config.add_pulumi_attribution_label:
        return {}
    if olds and not proactive and ATTRIBUTION_LABEL not in (olds.get("effectiveLabels") or {}):
        return {}
    return {ATTRIBUTION_LABEL: "true"}


def _over(olds: Properties, effective: str, managed: str, new: dict[str, str]) -> dict[str, str]:
    old, owned = olds.get(effective) or {}, olds.get(managed) or {}
    return {key: value for key, value in old.items() if key not in owned or key in new} | new


def _only(held: dict[str, str], keys: Any) -> dict[str, str]:
    return {key: held[key] for key in keys or () if key in held}
