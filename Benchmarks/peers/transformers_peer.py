"""Plain transformers, f32: next-token logits of one prompt and of a batch."""

import torch
import transformers
from huggingface import load


class Peer:
    version = transformers.__version__

    def __init__(self, path, description):
        self.model = load(path, description["threads"])
        self.description = description

    def prepare(self, work, limit):
        prompts = self.description[work]["prompts"][:limit]
        longest = max(map(len, prompts))
        # Padded on the left, so that every prompt ends in the last column.
        tokens = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
        mask = torch.tensor(
            [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        )
        # Without padding there is nothing to mask.
        return torch.tensor(tokens), None if mask.all() else mask, self.description[work]["token"]

    def run(self, tokens, mask, token):
        output = self.model(tokens, attention_mask=mask, use_cache=False, logits_to_keep=1)
        return output.logits[:, -1, token]
