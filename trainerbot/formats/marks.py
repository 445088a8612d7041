"""The mark of a row whose words nobody may learn without a permission.

A file of rows has no manifest, so each of them says it for itself, beside its
other keys: `"metadata": {"provenance": "discord_message"}`. Whoever writes such
rows marks them; `read` takes the mark off and tells it as the `source` of the row.
"""

from collections.abc import Mapping
from typing import Any, Final

NEED_PERMISSION: Final = frozenset({"discord_message"})
_METADATA: Final = "metadata"
_PROVENANCE: Final = "provenance"


def marked(record: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the record with its mark, as it is for a source that needs none.

    Metadata that is no object gives way to it.
    """
    if source not in NEED_PERMISSION:
        return dict(record)
    kept = record.get(_METADATA)
    others = kept if isinstance(kept, Mapping) else {}
    return {**record, _METADATA: {**others, _PROVENANCE: source}}


def source_of(record: Mapping[str, Any]) -> str:
    """Return what the mark of a record tells, "" where it has none.

    Only what needs a permission counts: a file cannot say of itself that it needs none.
    """
    metadata = record.get(_METADATA)
    source = metadata.get(_PROVENANCE) if isinstance(metadata, dict) else None
    return source if isinstance(source, str) and source in NEED_PERMISSION else ""


def unmarked(record: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the record as it was before it was marked, and its source, "" without a mark."""
    source = source_of(record)
    if not source:
        return record, ""
    rest = {key: value for key, value in record[_METADATA].items() if key != _PROVENANCE}
    if rest:
        return {**record, _METADATA: rest}, source
    return {key: value for key, value in record.items() if key != _METADATA}, source
