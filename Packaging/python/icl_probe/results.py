"""Runs (`manifest.json` and rows) and reports (`summary.json` and figures' numbers)."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Dict, Union

from .tables import Table, read_json, read_rows, table

# Of `icl-probe`, of studies, of training; of a run in shares a file for each share.
_ROW_FILE = re.compile(r"(?:rows|results|stats)(?:-(\d+)-of-(\d+))?\.jsonl")


@dataclass(frozen=True)
class Run:
    """A run: its manifest, and a table with one row for each measurement."""

    manifest: Dict[str, Any]
    rows: Table


@dataclass(frozen=True)
class Report:
    """A report: `summary.json` whole, its tested sentences as a table, and each figure's numbers."""

    summary: Dict[str, Any]
    claims: Table
    figures: Dict[str, Table]


def load_run(folder: Union[str, PathLike]) -> Run:
    """Reads a folder of `runs/`, `study-runs/` or `training-runs/`, finished or not.

    A run in shares is read share after share, as far as they are there.

    >>> run = load_run("runs/multi-demo-rule-001")               # doctest: +SKIP
    >>> run.rows[["probe", "layer", "logit_difference"]]         # doctest: +SKIP
    """
    folder = Path(folder)
    files = []
    for path in folder.iterdir():
        match = _ROW_FILE.fullmatch(path.name)
        if match:
            files.append((int(match[1] or 0), path.name, path))
    if not files:
        raise FileNotFoundError(f"{folder}: no rows.jsonl in it; name the folder of a run")
    manifests = sorted(folder.glob("manifest*.json")) + sorted(folder.glob("options.json"))
    rows = [row for _, _, path in sorted(files) for row in read_rows(path)]
    return Run(read_json(manifests[0]) if manifests else {}, table(rows))


def load_report(folder: Union[str, PathLike]) -> Report:
    """Reads a folder that `aggregate` or `onestep report` wrote.

    >>> report = load_report("reports/multi-demo-rule-001")      # doctest: +SKIP
    >>> report.claims[["sentence", "verdict", "p_adjusted"]]     # doctest: +SKIP
    >>> report.figures["positions-recovery-by-layer"]            # doctest: +SKIP
    """
    folder = Path(folder)
    summary = folder / "summary.json"
    if not summary.exists():
        raise FileNotFoundError(f"{folder}: no summary.json in it; name the folder of a report")
    content = read_json(summary)
    figures = {path.stem: _read_figure(path) for path in sorted(folder.glob("*.csv"))}
    return Report(content, table(content.get("claims", [])), figures)


def _read_figure(path: Path) -> Table:
    with path.open(newline="", encoding="utf-8") as file:
        return table([{key: _number(text) for key, text in row.items()}
                      for row in csv.DictReader(file)])


def _number(text: str) -> Union[int, float, str, None]:
    """A cell's number, nothing for an empty one, and text as it is."""
    if text == "":
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return int(text) if text.lstrip("-").isdigit() else number
