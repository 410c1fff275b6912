"""Reads what icl-probe and onestep write: runs, activations and reports.

>>> import icl_probe
>>> run = icl_probe.load_run("runs/multi-demo-rule-001")        # doctest: +SKIP
>>> run.rows.groupby("probe")["logit_difference"].mean()        # doctest: +SKIP

Tables are pandas' data frames where pandas is installed, and lists of dictionaries where not.
"""

from .activations import Activations, load_activations
from .program import data_folder, program_path
from .results import Report, Run, load_report, load_run
from .tables import Table

__all__ = [
    "Activations", "Report", "Run", "Table", "data_folder", "load_activations", "load_report",
    "load_run", "program_path",
]
