"""llama.cpp on the same quantised file: logits behind a prompt, and tokens one by one."""

import llama_cpp
from llama_cpp import Llama


class Peer:
    version = llama_cpp.__version__

    def __init__(self, path, description):
        threads = description["threads"]
        length = max(
            len(work["prompts"][0]) + len(work.get("tokens", []))
            for work in description.values()
            if isinstance(work, dict) and "prompts" in work
        )
        self.model = Llama(
            path, n_ctx=length + 64, n_threads=threads, n_threads_batch=threads, verbose=False
        )
        self.description = description

    def prepare(self, name, limit):
        self.model.reset()
        work = self.description[name]
        if name.startswith("generate"):
            self.model.eval(work["prompts"][0])
        return name, work

    def logit(self, token):
        return self.model._ctx.get_logits()[token]

    def run(self, name, work):
        if not name.startswith("generate"):
            self.model.eval(work["prompts"][0])
            return [self.logit(work["token"])]
        values = []
        # The last token is chosen and not run.
        for number, token in enumerate(work["tokens"]):
            if number < work["compared"]:
                values.append(self.logit(token))
            if number + 1 < len(work["tokens"]):
                self.model.eval([token])
        return values
