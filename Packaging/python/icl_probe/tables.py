"""Tables: pandas' data frames, or lists of dictionaries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Union

if TYPE_CHECKING:
    import pandas

Table = Union["pandas.DataFrame", List[Dict[str, Any]]]


def table(rows: List[Dict[str, Any]]) -> Table:
    """Rows as a data frame where pandas is installed, and as they are where not.

    A data frame has a column for every key that any row has.
    """
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows)


def read_json(path: Path) -> Dict[str, Any]:
    """The object in a JSON file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: not a JSON object")
    return value


def read_rows(path: Path) -> List[Dict[str, Any]]:
    """The rows of a `.jsonl` file that are whole: a run that still goes on may be writing the last."""
    rows = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: not JSON: {error}") from None
    return rows
