"""nnsight: eight invokes in every forward."""

from importlib.metadata import version

import torch
from huggingface import load, residuals, tokenizer
from nnsight import TransformersModel

INVOKES = 8


class Peer:
    version = version("nnsight")

    def __init__(self, path, description):
        self.torch_model = load(path, description["threads"])
        self.model = TransformersModel(
            self.torch_model, task="text-generation", tokenizer=tokenizer(path)
        )
        self.description = description

    def prepare(self, work, limit):
        patches = self.description[work]["patches"][:limit]
        pair = self.description["pairs"][patches[0]["pair"]]
        return pair, patches, residuals(self.torch_model, pair["donor"])

    def run(self, pair, patches, donor):
        right, wrong = pair["candidates"]
        recipient = torch.tensor([pair["recipient"]])
        values = []
        for start in range(0, len(patches), INVOKES):
            differences = []
            with self.model.trace(use_cache=False) as tracer:
                for patch in patches[start : start + INVOKES]:
                    with tracer.invoke(recipient):
                        layer, positions = patch["layer"], patch["positions"]
                        self.model.model.layers[layer].output[:, positions] = donor[layer, positions]
                        logits = self.model.lm_head.output[0, -1]
                        differences.append((logits[right] - logits[wrong]).save())
            values += differences
        return values
