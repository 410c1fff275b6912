"""Tests of the module, on small files written here by hand: `python -m unittest discover -s FOLDER`.

They run with pandas and numpy and without: what is compared is the same.
"""

import json
import struct
import tempfile
import unittest
from pathlib import Path

import icl_probe


def plain(table):
    """Rows of a table as dictionaries, without what a data frame puts in for absent keys."""
    if isinstance(table, list):
        return table
    return [{key: value for key, value in row.items() if value is not None and value == value}
            for row in table.to_dict("records")]


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


class RunTests(Files):
    def test_rows_and_manifest(self):
        self.write("manifest.json", '{"version": "0.1.0"}')
        self.write("rows.jsonl", '{"layer": 0, "x": 0.5}\n{"layer": 1, "right": true}\n')
        run = icl_probe.load_run(self.folder)
        self.assertEqual(run.manifest, {"version": "0.1.0"})
        self.assertEqual(plain(run.rows), [{"layer": 0, "x": 0.5}, {"layer": 1, "right": True}])

    def test_a_row_that_is_cut_anywhere_is_left_out(self):
        whole = b'{"n": 1}\n{"n": 2, "text": "\xe2\x86\x92"}\n'
        for length in range(len(whole) + 1):
            self.write("rows.jsonl", whole[:length])
            rows = plain(icl_probe.load_run(str(self.folder)).rows)
            self.assertEqual([row["n"] for row in rows], [1, 2][:whole[:length].count(b"\n")])

    def test_shares_are_read_in_order(self):
        for share in (10, 2, 1):
            self.write(f"rows-{share}-of-10.jsonl", '{"share": %d}\n' % share)
        self.write("other.jsonl", "no row\n")
        rows = plain(icl_probe.load_run(self.folder).rows)
        self.assertEqual([row["share"] for row in rows], [1, 2, 10])

    def test_a_bad_line_is_named(self):
        self.write("rows.jsonl", '{"n": 1}\n{"n": \n{"n": 3}\n')
        with self.assertRaisesRegex(ValueError, "rows.jsonl, line 2: not JSON"):
            icl_probe.load_run(self.folder)

    def test_a_folder_that_is_no_run_is_named(self):
        with self.assertRaisesRegex(FileNotFoundError, "no rows.jsonl"):
            icl_probe.load_run(self.folder)


class ReportTests(Files):
    def test_claims_and_figures(self):
        self.write("summary.json", '{"gate": [], "claims": [{"verdict": "supported", "p": 0.01}]}')
        self.write("recovery.csv", 'series,x,y\nanswers,0,1\n"a, b",-3,2.5e-1\nlast,,0\n')
        report = icl_probe.load_report(self.folder)
        self.assertEqual(report.summary["gate"], [])
        self.assertEqual(plain(report.claims), [{"verdict": "supported", "p": 0.01}])
        rows = [{key: value for key, value in row.items() if value is not None}
                for row in plain(report.figures["recovery"])]
        self.assertEqual(rows, [
            {"series": "answers", "x": 0, "y": 1}, {"series": "a, b", "x": -3, "y": 0.25},
            {"series": "last", "y": 0}])

    def test_a_folder_that_is_no_report_is_named(self):
        with self.assertRaisesRegex(FileNotFoundError, "no summary.json"):
            icl_probe.load_report(self.folder)


class ActivationTests(Files):
    INDEX = {"model": "m", "hooks": {"h": [2, 3]}, "prompts": [{"text": "t", "tokens": 2}],
             "rows": [{"prompt": 0, "position": 0}, {"prompt": 0, "position": 1}]}

    def write_arrays(self, kind="F32", missing=0):
        header = json.dumps({
            "__metadata__": {"model": "m"},
            "h": {"dtype": kind, "shape": [2, 3], "data_offsets": [8, 32]},
            "g": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}}).encode()
        data = struct.pack("<8f", 7, 8, 1, 2, 3, 4, 5, 6.5)
        self.write("a.json", json.dumps(self.INDEX))
        content = struct.pack("<Q", len(header)) + header + data
        return self.write("a.safetensors", content[:len(content) - missing])

    def test_arrays_have_their_shapes_and_numbers(self):
        recorded = icl_probe.load_activations(self.write_arrays())
        self.assertEqual(tuple(recorded.arrays["h"].shape), (2, 3))
        self.assertEqual(recorded.arrays["h"].tolist(), [[1, 2, 3], [4, 5, 6.5]])
        self.assertEqual(recorded.arrays["h"][1, 2], 6.5)
        self.assertEqual(recorded.arrays["g"].tolist(), [[7], [8]])
        self.assertEqual(plain(recorded.rows), self.INDEX["rows"])
        self.assertEqual(plain(recorded.prompts), self.INDEX["prompts"])
        self.assertEqual(recorded.model, "m")

    def test_a_cut_file_is_named(self):
        for missing in (1, 31, 100):
            with self.assertRaisesRegex(ValueError, "a.safetensors.*cut off"):
                icl_probe.load_activations(self.write_arrays(missing=missing))

    def test_another_type_is_named(self):
        with self.assertRaisesRegex(ValueError, "h: stored as BF16"):
            icl_probe.load_activations(self.write_arrays(kind="BF16"))


if __name__ == "__main__":
    unittest.main()
