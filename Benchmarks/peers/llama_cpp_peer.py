"""llama.cpp on the same quantised file: prefill of one long prompt."""

import llama_cpp
from llama_cpp import Llama


class Peer:
    version = llama_cpp.__version__

    def __init__(self, path, description):
        threads = description["threads"]
        length = len(description["prefill"]["prompts"][0])
        self.model = Llama(
            path, n_ctx=length + 64, n_threads=threads, n_threads_batch=threads, verbose=False
        )
        self.description = description

    def prepare(self, work, limit):
        self.model.reset()
        return (self.description[work],)

    def run(self, work):
        self.model.eval(work["prompts"][0])
        logits = self.model._ctx.get_logits()
        return [logits[work["token"]]]
