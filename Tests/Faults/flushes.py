"""Looks at the order of the calls that write: what is flushed when, as docs/reliability.md says it. Each function
returns what went wrong, a sentence an entry, and what it did, in words."""
import json
import os
import re
import shutil

import jobs
from jobs import Job

TEMPORARY = re.compile(r"\.[^./]+\.tmp$")
GROWS = ("write", "pwrite")
FLUSHES = ("fsync", "fdatasync")


def calls(workshop, job, anywhere=False):
    """The calls of an untouched run that write below its folder, or anywhere, in their order, as pairs of name and
    path; and the folder."""
    folder = workshop.folder / "flushes"
    shutil.rmtree(folder, ignore_errors=True)
    job.begin(folder)
    report = workshop.folder / "calls.txt"
    report.unlink(missing_ok=True)
    status, lines = workshop.run(job.commands[0], folder, {
        "LD_PRELOAD": str(workshop.library), "FAULT_FOLDER": "" if anywhere else str(folder),
        "FAULT_PROGRAM": job.commands[0][0], "FAULT_NUMBER": "0", "FAULT_KIND": "list",
        "FAULT_REPORT": str(report)})
    if status != 0:
        raise SystemExit(f"{job.name}: " + "\n".join(lines))
    found = []
    for line in report.read_text().splitlines():
        call, _, path = line.split(" ", 2)
        found.append((call, os.path.relpath(path, folder)))
    return found, folder


def unflushed(found):
    """What is not on the disk when it should be."""
    problems = []
    for number, (call, path) in enumerate(found):
        following = found[number + 1:]
        parent = os.path.dirname(path) or "."
        if call == "mkdir" and following[:1] != [("fsync", parent)]:
            problems.append(f"{path} is made, and the folder above it is not flushed at once")
        elif call in ("rename", "link"):
            if following[:1] != [("fsync", parent)]:
                problems.append(f"{path} gets its name, and its folder is not flushed at once")
            written = [c for c, p in found[:number] if TEMPORARY.sub("", p) == path and p != path]
            # A model's pieces lie in one file until it is whole.
            written = written or [c for c, p in found[:number] if ".fetch-" in p and p.endswith("/model")]
            if not written or written[-1] != "fsync":
                problems.append(f"{path} gets its name before what is in it is flushed")
        elif call in GROWS and path.endswith(".jsonl"):
            same = [c for c, p in following if p == path]
            if not same or same[0] not in FLUSHES or following[0] != (same[0], path):
                problems.append(f"a line of {path} is not flushed at once")
        elif os.path.basename(path).startswith("log") and call in FLUSHES:
            problems.append(f"{path} is flushed")
    return problems


def named(found):
    """The files that get their names, in order."""
    return [path for call, path in found if call in ("rename", "link")]


def whole_units(found, folder, rows):
    """All rows of a unit are one write."""
    lines = (folder / rows).read_text().splitlines()
    units = len({json.loads(line)["unit"] for line in lines})
    writes = sum(call in GROWS and path == rows for call, path in found)
    return [] if writes == units < len(lines) else [
        f"{rows}: {len(lines)} rows of {units} units came in {writes} writes"]


def flush_order(workshop):
    """what is flushed when, and what gets its name last:"""
    problems, count = [], 0

    def look(job):
        nonlocal count
        found, folder = calls(workshop, job)
        count += len(found)
        problems.extend(f"{job.name}: {problem}" for problem in unflushed(found))
        return found, folder
    pictures = [workshop.pictures(), workshop.preset(), workshop.network()]
    study = workshop.study([0.001], [1000])
    found, folder = look(Job("patch", [jobs.patch(1)]))
    problems += whole_units(found, folder, "run/rows.jsonl")
    look(Job("patch --shard", [jobs.patch(3) + ["--shard", "2/3"]]))
    look(Job("record --shard", [jobs.record(4) + ["--shard", "1/2"]]))
    look(Job("eval", [jobs.evaluate(4)]))
    look(Job("tasks check", [jobs.check(2)]))
    workshop.catalogue()
    look(Job("models fetch", [jobs.FETCH]))
    look(Job("study", [jobs.study(study)], pictures + [study]))
    found, _ = look(Job("record", [jobs.record(4)]))
    order = [(call, path) for call, path in found if call in ("unlink", "rename")]
    if order != [("unlink", "record.json"), ("rename", "record.safetensors"), ("rename", "record.json")]:
        problems.append(f"record: the old index, the file and the new index come as {order}")
    flushed = [call for call, path in found if path.startswith("record.safetensors.") or call == "unlink"]
    if flushed[-2:] != ["fsync", "unlink"]:
        problems.append("record: the old index is removed before the file is flushed")
    found, _ = look(Job("aggregate", [jobs.AGGREGATE], [workshop.shares(3)]))
    pages = [path for path in named(found) if path.startswith("report/")]
    if len(pages) < 4 or pages[-1] != "report/index.html":
        problems.append(f"aggregate: the page is not the last of {pages}")
    for kind in ("pretrain", "train", "distill"):
        command = getattr(jobs, kind)(1, tick=512)
        found, _ = look(Job(kind, [command], pictures))
        if named(found)[-1] != "run/state.safetensors":
            problems.append(f"{kind}: the state is not replaced last")
        ticks = [path for call, path in found
                 if call == "fdatasync" or call == "rename" and path == "run/state.safetensors"]
        if ticks != ["run/stats.jsonl", "run/state.safetensors"] * (len(ticks) // 2) or len(ticks) < 4:
            problems.append(f"{kind}: states and their figures come as {ticks}")
    shutil.rmtree(workshop.folder / "flushes")
    return problems, f"{count} calls of 12 commands are in their order"


def only_named_folders(workshop):
    """what is written outside the folders that a command names:"""
    def chosen(command, option="--out"):
        """The command with the folder that it chooses itself."""
        place = command.index(option)
        return command[:place] + command[place + 2:]
    pictures = [workshop.pictures(), workshop.preset(), workshop.network()]
    study = workshop.study([0.001], [1000])
    workshop.catalogue()
    problems, count = [], 0
    for command, fixtures, folders in (
            (jobs.patch(1), [], {"run"}), (chosen(jobs.patch(1)), [], {"runs"}),
            (jobs.evaluate(4), [], {"run"}), (chosen(jobs.evaluate(4)), [], {"runs"}),
            (jobs.record(4), [], {"record"}),
            (jobs.record(4) + ["--shard", "1/2"], [], {"record"}),
            (jobs.AGGREGATE, [workshop.shares(3)], {"run", "report", "claims"}),
            (chosen(jobs.AGGREGATE), [workshop.shares(3)], {"run", "reports", "claims"}),
            (jobs.check(2), [], {"runs"}), (jobs.FETCH, [], {"models"}),
            (jobs.pretrain(1), pictures, {"run"}), (chosen(jobs.pretrain(1)), pictures, {"training-runs"}),
            (jobs.train(1), pictures, {"run"}), (jobs.distill(1), pictures, {"run"}),
            (jobs.study(study), pictures + [study], {"run"}),
            (chosen(jobs.study(study)), pictures + [study], {"study-runs", "training-runs"})):
        # Calls anywhere count, and what is opened to be written is told even if nothing is.
        found, _ = calls(workshop, Job(" ".join(command[:2]), [command], fixtures), anywhere=True)
        paths = {path for _, path in found if not path.startswith("../") or "/dev/" not in path}
        first = {path.split("/")[0].split(".")[0] for path in paths - {"."}}
        count += len(paths)
        if first != folders:
            problems.append(f"{' '.join(command)}: writes {sorted(first)}, not {sorted(folders)}")
    shutil.rmtree(workshop.folder / "flushes")
    return problems, f"nothing, of {count} paths of 16 command lines"


ALL = [flush_order, only_named_folders]
