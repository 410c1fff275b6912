"""Runs one peer's side of the comparison.

    python worker.py PEER MODEL.gguf WORK.json

Reads one JSON object a line, {"work": NAME, "limit": N}, does the first N units of that work once
and answers with {"preparation": S, "seconds": S, "values": [...]}: what came out, which the other
side compares with its own, and the seconds to get ready (recording donors) and to do it.
WORK.json says what the works are; see Sources/Peers/PeerWork.swift.
"""

import importlib
import json
import os
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")


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

    answer(version=peer.version)
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
        )


if __name__ == "__main__":
    main()
