"""The model as transformers reads it from a GGUF file: every weight dequantised to f32."""

import os

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

logging.disable_progress_bar()


def load(path, threads, attention="sdpa"):
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    folder, file = os.path.split(path)
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=file, dtype=torch.float32, attn_implementation=attention
    )
    return model.eval()


def tokenizer(path):
    folder, file = os.path.split(path)
    return AutoTokenizer.from_pretrained(folder, gguf_file=file)


def residuals(model, tokens):
    """Residual streams after every block, [layers, positions, width]."""
    kept = []

    def keep(module, inputs, output):
        kept.append(stream(output)[0].clone())

    handles = [layer.register_forward_hook(keep) for layer in model.model.layers]
    model(torch.tensor([tokens]), use_cache=False, logits_to_keep=1)
    for handle in handles:
        handle.remove()
    return torch.stack(kept)


def stream(output):
    """The residual stream in what a block returns."""
    return output[0] if isinstance(output, tuple) else output
