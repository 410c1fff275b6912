"""Plain transformers, f32: next-token logits of one prompt and of a batch, and tokens one by one."""

import torch
import transformers
from huggingface import load


class Peer:
    version = transformers.__version__

    def __init__(self, path, description):
        self.model = load(path, description["threads"])
        self.description = description

    def prepare(self, work, limit):
        if work.startswith("generate"):
            work = self.description[work]
            output = self.model(torch.tensor(work["prompts"]), logits_to_keep=1)
            return work, output
        prompts = self.description[work]["prompts"][:limit]
        longest = max(map(len, prompts))
        # Padded on the left, so that every prompt ends in the last column.
        tokens = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
        mask = torch.tensor(
            [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        )
        # Without padding there is nothing to mask.
        return torch.tensor(tokens), None if mask.all() else mask, self.description[work]["token"]

    def run(self, *prepared):
        return self.generate(*prepared) if len(prepared) == 2 else self.logits(*prepared)

    def generate(self, work, output):
        values = []
        # The last token is chosen and not run.
        for number, token in enumerate(work["tokens"]):
            if number < work["compared"]:
                values.append(output.logits[0, -1, token])
            if number + 1 < len(work["tokens"]):
                output = self.model(
                    torch.tensor([[token]]), past_key_values=output.past_key_values
                )
        return values

    def logits(self, tokens, mask, token):
        output = self.model(tokens, attention_mask=mask, use_cache=False, logits_to_keep=1)
        return output.logits[:, -1, token]
