"""TransformerLens' patching helpers: a site at every layer and position or head, 32 pairs a batch."""

import pandas
import torch
from transformer_lens import patching

# The helper of a site, and what its second index is called.
HELPERS = {
    "resid_pre": (patching.get_act_patch_resid_pre, "pos"),
    "z": (patching.get_act_patch_attn_head_out_all_pos, "head"),
}


def prepare(bridge, grid, limit):
    """Clean activations of all pairs, and the cells of `limit` patches."""
    cells = grid["cells"][: limit // len(grid["clean"])]
    _, cache = bridge.run_with_cache(
        torch.tensor(grid["clean"]),
        names_filter=lambda name: name.endswith(("hook_resid_pre", "hook_z")),
    )
    return grid, cells, cache


def run(bridge, grid, cells, cache):
    """Patched logit differences, cell by cell, pair by pair."""
    tokens = torch.tensor(grid["corrupted"])
    pairs = torch.arange(len(tokens))
    right, wrong = torch.tensor(grid["answers"]).T

    def difference(logits):
        return logits[pairs, -1, right] - logits[pairs, -1, wrong]

    values = []
    for site, (helper, axis) in HELPERS.items():
        index = [(cell["layer"], cell["index"]) for cell in cells if cell["site"] == site]
        # The helper's own loop and patch, over these cells instead of all.
        result = helper(
            bridge,
            tokens,
            cache,
            difference,
            index_axis_names=None,
            index_df=pandas.DataFrame(index, columns=["layer", axis]),
            reduce="none",
        )
        values += result.values.flatten().tolist()
    return values
