"""Activations that `icl-probe record` wrote: arrays in a `.safetensors` file, and an index of rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Dict, Union

from .tables import Table, read_json, table


@dataclass(frozen=True)
class Activations:
    """Recorded activations.

    `arrays` has one for each hook point: numpy's where it is installed, and memory views (`a[3, 5]`,
    `a.tolist()`) where not. Row i of each is row i of `rows`: prompt, position, token, text, role.
    """

    arrays: Dict[str, Any]
    rows: Table
    prompts: Table
    model: str


def load_activations(path: Union[str, PathLike]) -> Activations:
    """Reads `FILE.safetensors` and its index, `FILE.json`.

    >>> recorded = load_activations("answers.safetensors")       # doctest: +SKIP
    >>> recorded.arrays["blocks.3.hook_resid_post"].shape        # doctest: +SKIP
    (512, 576)
    """
    path = Path(path)
    index = read_json(path.with_suffix(".json"))
    return Activations(
        _read_arrays(path), table(index["rows"]), table(index["prompts"]), index["model"])


def _read_arrays(path: Path) -> Dict[str, Any]:
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    if start > len(content):
        raise ValueError(f"{path}: no safetensors file, or cut off")
    header = json.loads(content[8:start])
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}, {name}: stored as {entry['dtype']}; recorded are F32")
        first, last = entry["data_offsets"]
        if start + last > len(content):
            raise ValueError(f"{path}, {name}: cut off")
        arrays[name] = _array(bytearray(memoryview(content)[start + first:start + last]), entry["shape"])
    return arrays


def _array(content: bytearray, shape: Any) -> Any:
    try:
        import numpy
    except ImportError:
        return memoryview(content).cast("f", shape)
    return numpy.frombuffer(content, dtype="<f4").reshape(shape)
