"""Torch autograd on a transformers model: logits' differences of a batch, and their derivatives by the
residual stream before every block. Weights have no gradients, and only the last logits are computed."""

import torch
import transformers
from huggingface import load


class Peer:
    version = f"{torch.__version__}, transformers {transformers.__version__}"

    def __init__(self, path, description):
        self.model = load(path, description["threads"])
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        self.description = description

    def prepare(self, work, limit):
        prompts = self.description[work]["prompts"][:limit]
        longest = max(map(len, prompts))
        # Padded on the left, so that every prompt ends in the last column.
        tokens = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
        mask = torch.tensor(
            [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        )
        return (
            torch.tensor(tokens),
            mask,
            torch.tensor(self.description[work]["candidates"][:limit]),
        )

    def run(self, tokens, mask, candidates):
        with torch.enable_grad():
            embeddings = self.model.get_input_embeddings()(tokens).requires_grad_(True)
            output = self.model(
                inputs_embeds=embeddings,
                # Without padding there is nothing to mask.
                attention_mask=None if mask.all() else mask,
                use_cache=False,
                logits_to_keep=1,
                output_hidden_states=True,
            )
            logits = output.logits[:, -1]
            chosen = logits.gather(1, candidates)
            difference = (chosen[:, 0] - chosen[:, 1]).sum()
            # The last of them is normalised already.
            gradients = torch.autograd.grad(difference, output.hidden_states[:-1])
        kept = mask[..., None]
        return [
            float((gradient[row] * kept[row]).square().sum().log())
            for row in range(len(tokens))
            for gradient in (gradients[0], gradients[len(gradients) // 2])
        ]
