"""TransformerLens, TransformerBridge: one hooked forward a patch, by its patching helper."""

from importlib.metadata import version

import pandas
import torch
import transformer_lens_grid
from huggingface import load, tokenizer
from transformer_lens import patching
from transformer_lens.model_bridge import TransformerBridge


class Peer:
    version = version("transformer-lens")

    def __init__(self, path, description):
        self.bridge = TransformerBridge.boot_transformers(
            "HuggingFaceTB/SmolLM2-135M-Instruct",
            hf_model=load(path, description["threads"], attention="eager"),
            tokenizer=tokenizer(path),
        )
        self.description = description

    def prepare(self, work, limit):
        self.helper = transformer_lens_grid if work == "grid_heads" else None
        if self.helper:
            return self.helper.prepare(self.bridge, self.description[work], limit)
        patches = self.description[work]["patches"][:limit]
        runs = {}
        for number in {patch["pair"] for patch in patches}:
            pair = self.description["pairs"][number]
            _, cache = self.bridge.run_with_cache(
                torch.tensor([pair["donor"]]),
                names_filter=lambda name: name.endswith("hook_resid_post"),
            )
            runs[number] = (pair, cache)
        return patches, runs

    def run(self, *prepared):
        if self.helper:
            return self.helper.run(self.bridge, *prepared)
        return self.patch(*prepared)

    def patch(self, patches, runs):
        values = [0.0] * len(patches)
        for number, (pair, cache) in runs.items():
            chosen = [i for i, patch in enumerate(patches) if patch["pair"] == number]
            right, wrong = pair["candidates"]

            def put(stream, index, clean):
                positions = patches[index[1]]["positions"]
                stream[:, positions] = clean[:, positions]
                return stream

            metrics = patching.generic_activation_patch(
                self.bridge,
                torch.tensor([pair["recipient"]]),
                cache,
                lambda logits: logits[0, -1, right] - logits[0, -1, wrong],
                put,
                "resid_post",
                index_df=pandas.DataFrame(
                    [(patches[i]["layer"], i) for i in chosen], columns=["layer", "patch"]
                ),
            )
            for i, value in zip(chosen, metrics.tolist()):
                values[i] = value
        return values
