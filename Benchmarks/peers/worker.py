"""Runs one peer's side of the comparison.

    python worker.py PEER MODEL WORK.json

Reads one JSON object a line, {"work": NAME, "limit": N}, does the first N units of that work once
and answers with {"preparation": S, "seconds": S, "values": [...], "peak": MB}: what came out, which
the other side compares with its own, the seconds to get ready (recording donors) and to do it, and
the largest resident set so far. Before the first question it tells its version and resident set.
WORK.json says what the works are; see PeerWork.swift, HeadGrid.swift and ComparedStep.swift in
Sources/Peers.
"""

import importlib
import json
import os
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")


def megabytes(field):
    """Of this process, from /proc: `VmRSS` is the resident set, `VmHWM` the largest so far."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024 / 1e6


def main():
    name, model, path = sys.argv[1:]
    # What peers print belongs to the log, not to the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with open(path) as file:
        description = json.load(file)
    peer = importlib.import_module(name + "_peer").Peer(model, description)

    def answer(**fields):
        print(json.dumps(fields), file=answers, flush=True)

    answer(version=peer.version, resident=megabytes("VmRSS"))
    for line in sys.stdin:
        question = json.loads(line)
        begin = time.perf_counter()
        prepared = peer.prepare(question["work"], question["limit"])
        start = time.perf_counter()
        values = peer.run(*prepared)
        end = time.perf_counter()
        answer(
            preparation=start - begin,
            seconds=end - start,
            values=[float(value) for value in values],
            peak=megabytes("VmHWM"),
        )


if __name__ == "__main__":
    main()
