"""What happens to disks, folders and files beside failing calls. Each function returns what went wrong, a
sentence an entry, and what it did, in words."""
import os
import pathlib
import random
import re
import shutil
import subprocess
import time

import jobs
from jobs import Job

RUN = Job("patch", [jobs.patch(2)])
SMALL = Job("eval", [["icl-probe", "eval", *jobs.TASK, "--shots", "0,1", "--episodes", "2", "--out", "run"]])
# What a process says that finds another one at work.
BUSY = r"icl-probe: [^:]+: another process is (writing this run|fetching the model); .+"


def wanted(workshop, job):
    """The results of an untouched run."""
    folder = workshop.folder / "wanted"
    shutil.rmtree(folder, ignore_errors=True)
    job.begin(folder)
    workshop.need(job.commands[0], folder)
    found = jobs.results(folder)
    shutil.rmtree(folder)
    return found


def failure(status, lines, reason):
    """What is wrong with how a command failed; None where all is well."""
    told = [line for line in lines if reason in line]
    if status != 1:
        return f"status {status}: {lines[-3:]}"
    if len(told) != 1 or lines[-1] != told[0]:
        return f"not one line of error at the end: {lines[-3:]}"
    if not re.fullmatch(rf"(icl-probe|onestep): [^:]+: .+; .+", told[0]):
        return f"no path, or no remedy: {told[0]}"
    return None


def again(workshop, folder, job, reference):
    """What is wrong with the same command once nothing is in its way."""
    status, lines = workshop.run(job.commands[0], folder)
    if status != 0:
        return [f"the same command afterwards: status {status}, {lines[-1:]}"]
    return jobs.compare(jobs.results(folder), reference)


def full_disk(workshop):
    """a full disk:"""
    disk = workshop.folder / "disk"
    disk.mkdir()
    reference = wanted(workshop, RUN)
    problems, full = [], 0
    sizes = [size * 4096 for size in range(2, 40, 3)]
    for size in sizes:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk]
        if subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
            return [], "left out, since this user cannot mount a file system"
        try:
            folder = disk / "work"
            RUN.begin(folder)
            status, lines = workshop.run(RUN.commands[0], folder)
            found = []
            if status != 0:
                full += 1
                found = [failure(status, lines, "No space left on device")]
            found = [problem for problem in found if problem] + jobs.broken(folder)
            subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
            found += again(workshop, folder, RUN, reference)
            problems += [f"{size} bytes: {problem}" for problem in found]
        finally:
            subprocess.run(["umount", disk], check=True)
    disk.rmdir()
    if full < 5:
        problems.append(f"only {full} of {len(sizes)} disks were full")
    return problems, f"{full} of {len(sizes)} sizes of disk too small, finished with more room"


def no_room_for_words(workshop):
    """standard output and standard error on a full disk:"""
    reference = wanted(workshop, SMALL)
    problems = []
    folder = workshop.folder / "words"

    def run(output, errors, command=SMALL.commands[0]):
        with open(output, "w") as out, open(errors, "w") as err:
            return subprocess.run(
                [workshop.programs["icl-probe"]] + command[1:], cwd=folder, env=workshop.environment,
                stdout=out, stderr=err).returncode
    log = workshop.folder / "errors.txt"
    SMALL.begin(folder)
    if (status := run("/dev/full", log)) != 1:
        problems.append(f"status {status} without room for the results: {log.read_text()}")
    problems += again(workshop, folder, SMALL, reference)
    # More than is held back at a time, of which the last part alone would fit.
    if (status := run("/dev/full", log, ["icl-probe", "tasks"])) != 1:
        problems.append(f"status {status} without room for a part of the results")
    shutil.rmtree(folder)
    SMALL.begin(folder)
    if (status := run("/dev/null", "/dev/full")) != 0:
        problems.append(f"status {status} without room for remarks")
    problems += jobs.compare(jobs.results(folder), reference)
    if (status := run("/dev/null", "/dev/full", SMALL.commands[0] + ["--seed", "1"])) != 1:
        problems.append(f"status {status} without room for the error")
    shutil.rmtree(folder)
    return problems, "results that are not written are a failure, remarks are not"


def lost_permission(workshop):
    """a folder that loses its permission:"""
    place = workshop.folder / "permission"
    place.mkdir()
    program, readable = [], True
    workshop.folder.chmod(0o755)
    if os.geteuid() == 0:
        # For root there are no permissions.
        program = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chown(place, 65534, 65534)
        readable = subprocess.run(program + [
            "sh", "-c", 'test -x "$1" && test -r "$2"', "sh", workshop.programs["icl-probe"],
            jobs.MODEL + "/model.safetensors"]).returncode == 0
    if not readable:
        return [], "left out, since another user cannot run the program where it lies"
    job = Job("patch", [jobs.patch(64)])
    reference = wanted(workshop, job)
    problems, closed = [], 0
    for attempt in range(5):
        folder = place / f"work-{attempt}"
        subprocess.run(program + ["mkdir", folder], check=True)
        process = subprocess.Popen(
            program + [workshop.programs["icl-probe"]] + job.commands[0][1:], cwd=folder,
            env=workshop.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        rows = folder / "run" / "rows.jsonl"
        while process.poll() is None and not (rows.exists() and rows.stat().st_size > 0):
            time.sleep(0.001)
        for path in (folder / "run" / "activations", folder / "run"):
            if path.exists():
                path.chmod(0o555)
        lines = process.communicate()[1].decode().splitlines()
        if process.returncode != 0:
            closed += 1
            if problem := failure(process.returncode, lines, "Permission denied"):
                problems.append(problem)
        problems += jobs.broken(folder)
        for path in folder.glob("run/**/"):
            path.chmod(0o755)
        done = subprocess.run(
            program + [workshop.programs["icl-probe"]] + job.commands[0][1:], cwd=folder,
            env=workshop.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode != 0:
            problems.append(f"the same command afterwards: {done.stderr.decode()[-300:]}")
        problems += jobs.compare(jobs.results(folder), reference)
    if closed == 0:
        problems.append("the folder was closed too late each time")
    return problems, f"{closed} of 5 runs ended by it, finished once it was open again"


def both(workshop, job, commands, name, reference, times=10):
    """Begins two processes at once and looks at what they say and leave."""
    problems, busy = [], 0
    for attempt in range(times):
        folder = workshop.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        job.begin(folder)
        log = [(workshop.folder / f"errors-{number}.txt") for number in range(len(commands))]
        processes = [workshop.start(command, folder, log=path.open("w"))
                     for command, path in zip(commands, log)]
        for process, path in zip(processes, log):
            status = process.wait()
            lines = path.read_text().splitlines()
            if status != 0:
                busy += 1
                if status != 1 or not lines or not re.fullmatch(BUSY, lines[-1]):
                    problems.append(f"status {status}: {lines[-3:]}")
        if all(process.returncode for process in processes):
            problems.append("neither process came to its end")
        problems += jobs.broken(folder) + reference(jobs.results(folder))
        shutil.rmtree(folder)
    return problems, f"begun {times} times, {busy} processes were told of the other, nothing was lost"


def two_on_one_run(workshop):
    """two processes on one run:"""
    reference = wanted(workshop, RUN)
    return both(workshop, RUN, [RUN.commands[0]] * 2, "two",
                lambda found: jobs.compare(found, reference))


def two_that_choose(workshop):
    """two processes that choose a folder:"""
    command = [word for word in RUN.commands[0] if word not in ("--out", "run")]
    rows = {name: data for name, data in wanted(workshop, RUN).items() if name.endswith("rows.jsonl")}

    def whole(found):
        runs = [name for name in found if name.endswith("/rows.jsonl")]
        return ([] if runs else ["no rows"]) + [
            f"{name} differs" for name in runs if found[name] not in rows.values()]
    return both(workshop, RUN, [command] * 2, "two", whole)


def two_reports(workshop):
    """two processes on one report, of one run and of shares that both merge:"""
    problems, words = [], ""
    for fixture in (workshop.finished(3), workshop.shares(3)):
        job = Job("aggregate", [jobs.AGGREGATE], [fixture])
        reference = wanted(workshop, job)
        found, words = both(workshop, job, [jobs.AGGREGATE] * 2, "two",
                            lambda results: jobs.compare(results, reference))
        problems += found
    return problems, words


def two_fetches(workshop):
    """two processes on one model cache:"""
    job = Job("models fetch", [jobs.FETCH])
    workshop.catalogue()
    reference = wanted(workshop, job)
    return both(workshop, job, [jobs.FETCH] * 2, "two",
                lambda found: jobs.compare(found, reference), times=3)


def cut_files(workshop):
    """rows and manifest cut at some byte (all bytes: Tests/ReportsTests/Runs/CutFilesTests.swift):"""
    reference = wanted(workshop, SMALL)
    whole = workshop.folder / "whole"
    SMALL.begin(whole)
    workshop.need(SMALL.commands[0], whole)
    unfinished = workshop.folder / "unfinished"
    shutil.copytree(whole, unfinished)
    manifest = unfinished / "run" / "manifest.json"
    manifest.write_text(re.sub(r'"finished": "[^"]*"', '"finished": null', manifest.read_text()))
    problems, refused, continued = [], 0, 0
    stream = random.Random(1)
    for begin in (whole, unfinished):
        for name, times in (("rows.jsonl", 20), ("manifest.json", 20)):
            size = (begin / "run" / name).stat().st_size
            for length in [0, 1, size - 1] + stream.sample(range(size), times):
                folder = workshop.folder / "cut"
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(begin, folder)
                os.truncate(folder / "run" / name, length)
                status, lines = workshop.run(SMALL.commands[0], folder)
                place = f"{name} of {begin.name} cut to {length} of {size} bytes"
                if status == 0:
                    continued += 1
                    problems += [f"{place}: {problem}"
                                 for problem in jobs.compare(jobs.results(folder), reference)]
                elif name == "rows.jsonl":
                    problems.append(f"{place}: {lines[-1:]}")
                else:
                    refused += 1
                    if problem := failure(status, lines, "manifest.json"):
                        problems.append(f"{place}: {problem}")
    return problems, f"{continued} times the run went on to the same rows, {refused} times it was refused in a line"


def changed_model(workshop):
    """a model's file that is cut, or written to, while a command uses it:"""
    shutil.copytree(jobs.MODEL, workshop.folder / "model")
    text = ["icl-probe", "{}", "--model", "model", "--threads", "1", "--tokens", "1,2,3"]

    def cut(path):
        os.truncate(path, 4096)

    def write(path):
        with open(path, "r+b") as file:
            file.seek(-4, os.SEEK_END)
            file.write(b"\0\0\0\0")

    def has_rows(folder, process):
        rows = folder / "run" / "rows.jsonl"
        return rows.exists() and rows.stat().st_size > 0

    def is_mapped(folder, process):
        try:
            maps = pathlib.Path(f"/proc/{process.pid}/maps").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return "model/model.safetensors" in maps

    problems, told = [], 0
    for command, moment, kept in (
            (jobs.patch(64), has_rows, None),
            (jobs.patch(8), is_mapped, None),
            (jobs.evaluate(256), is_mapped, None),
            (jobs.record(256), is_mapped, "record.safetensors"),
            (jobs.record(256) + ["--shard", "1/2"], is_mapped, None),
            (jobs.check(16), is_mapped, None),
            ([word.format("run") for word in text], is_mapped, None),
            ([word.format("lens") for word in text], is_mapped, None)):
        command = ["model" if word == jobs.MODEL else word for word in command]
        job = Job(command[1], [command], fixtures=[workshop.folder / "model"])
        reference = wanted(workshop, job)
        for change in (cut, write):
            name = f"{' '.join(command[1:3])}, {change.__name__}"
            folder = workshop.folder / "changed"
            job.begin(folder)
            process = subprocess.Popen(
                [workshop.programs["icl-probe"]] + command[1:], cwd=folder, env=workshop.environment,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            while process.poll() is None and not moment(folder, process):
                pass
            change(folder / "model" / "model.safetensors")
            output, errors = process.communicate()
            told += 1
            if problem := failure(
                    process.returncode, errors.decode().splitlines(), "model/model.safetensors"):
                problems.append(f"{name}: {problem}")
            if output:
                problems.append(f"{name}: prints {output[:100]}")
            if kept and (folder / kept).exists():
                problems.append(f"{name}: {kept} is there")
            if any(path.stat().st_size for path in folder.glob("runs/task-checks/*")):
                problems.append(f"{name}: a result is kept")
            problems += jobs.broken(folder / "run")
            shutil.rmtree(folder / "model")
            shutil.copytree(workshop.folder / "model", folder / "model")
            problems += [f"{name}: {problem}" for problem in again(workshop, folder, job, reference)]
            shutil.rmtree(folder)
    return problems, f"{told} commands ended with a line, and finished once the file was there again"


def removed_model(workshop):
    """a model's file that is removed, or replaced by another, while a run uses it:"""
    model = workshop.folder / "kept" / "model"
    shutil.copytree(jobs.MODEL, model)
    job = Job("patch", [["model" if word == jobs.MODEL else word for word in jobs.patch(64)]], [model])
    reference = wanted(workshop, job)

    def replace(path):
        other = path.with_name("other")
        other.write_bytes(b"another")
        os.replace(other, path)

    problems = []
    for change in (os.unlink, replace):
        folder = workshop.folder / "removed"
        job.begin(folder)
        process = workshop.start(job.commands[0], folder)
        rows = folder / "run" / "rows.jsonl"
        while process.poll() is None and not (rows.exists() and rows.stat().st_size > 0):
            pass
        was_running = process.poll() is None
        change(folder / "model" / "model.safetensors")
        if process.wait() != 0 or not was_running:
            problems.append(f"{change.__name__}: status {process.returncode}, running before: {was_running}")
        shutil.copy(model / "model.safetensors", folder / "model")
        problems += jobs.compare(jobs.results(folder), reference)
        shutil.rmtree(folder)
    return problems, "it was still there for the run"


ALL = [changed_model, removed_model, full_disk, no_room_for_words, lost_permission, two_on_one_run, two_that_choose, two_reports, two_fetches, cut_files]
