"""DDPM++ in torch, under the project's parameter names without `model.` in front.

What is compared is the project's own network: see Sources/DiffusionGAN/Networks.
"""

import torch
from torch import nn
from torch.nn import functional as F

EPSILON = 1e-6
SKIP_SCALE = 0.5**0.5


def norm(channels):
    return nn.GroupNorm(min(32, max(channels // 4, 1)), channels, EPSILON)


class Block(nn.Module):
    """A residual block, with self-attention after it where asked for."""

    def __init__(self, inputs, outputs, embedding, resampling=None, attention=False):
        super().__init__()
        self.inputs = inputs
        self.resampling = resampling
        self.norm0 = norm(inputs)
        self.conv0 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.affine = nn.Linear(embedding, outputs)
        self.norm1 = norm(outputs)
        self.conv1 = nn.Conv2d(outputs, outputs, 3, padding=1)
        projects = inputs != outputs or resampling is not None
        self.skip = nn.Conv2d(inputs, outputs, 1) if projects else None
        self.norm2 = self.qkv = self.proj = None
        if attention:
            self.norm2 = norm(outputs)
            self.qkv = nn.Conv2d(outputs, 3 * outputs, 1)
            self.proj = nn.Conv2d(outputs, outputs, 1)

    def resampled(self, x):
        # What the filter [1, 1] comes to.
        if self.resampling == "down":
            return F.avg_pool2d(x, 2)
        if self.resampling == "up":
            return F.interpolate(x, scale_factor=2, mode="nearest")
        return x

    def forward(self, x, embedding):
        h = self.conv0(self.resampled(F.silu(self.norm0(x))))
        h = h + self.affine(embedding)[:, :, None, None]
        h = self.conv1(F.silu(self.norm1(h)))
        skip = x if self.skip is None else self.skip(self.resampled(x))
        x = (h + skip) * SKIP_SCALE
        return x if self.qkv is None else self.attended(x)

    def attended(self, x):
        batch, channels, height, width = x.shape
        # Channels of `qkv` are counted (channel, query | key | value), the last fastest.
        parts = self.qkv(self.norm2(x)).reshape(batch, channels, 3, height * width)
        # One head; positions before channels.
        query, key, value = parts.transpose(1, 3).unsqueeze(1).unbind(3)
        attention = F.scaled_dot_product_attention(query, key, value)
        attention = attention.squeeze(1).transpose(1, 2).reshape(x.shape)
        return (self.proj(attention) + x) * SKIP_SCALE


class UNet(nn.Module):
    """DDPM++ of `configuration`, which has the argument names of the EDM code."""

    def __init__(self, configuration):
        super().__init__()
        base = configuration["model_channels"]
        widths = [base * multiplier for multiplier in configuration["channel_mult"]]
        sizes = [configuration["img_resolution"] >> level for level in range(len(widths))]
        blocks = configuration["num_blocks"]
        pictures = configuration["img_channels"]
        width = base * configuration["channel_mult_emb"]
        attention = [size in configuration["attn_resolutions"] for size in sizes]
        self.half = base // 2
        self.map_layer0 = nn.Linear(base, width)
        self.map_layer1 = nn.Linear(width, width)
        self.enc = nn.ModuleDict()
        self.dec = nn.ModuleDict()
        skips = []
        current = base
        for level, size in enumerate(sizes):
            name = f"{size}x{size}"
            if level == 0:
                self.enc[f"{name}_conv"] = nn.Conv2d(pictures, base, 3, padding=1)
            else:
                self.enc[f"{name}_down"] = Block(current, current, width, resampling="down")
            skips.append(current)
            for index in range(blocks):
                self.enc[f"{name}_block{index}"] = Block(
                    current, widths[level], width, attention=attention[level]
                )
                current = widths[level]
                skips.append(current)
        for level, size in reversed(list(enumerate(sizes))):
            name = f"{size}x{size}"
            if level == len(sizes) - 1:
                self.dec[f"{name}_in0"] = Block(current, current, width, attention=True)
                self.dec[f"{name}_in1"] = Block(current, current, width)
            else:
                self.dec[f"{name}_up"] = Block(current, current, width, resampling="up")
            for index in range(blocks + 1):
                inputs = current + skips.pop()
                current = widths[level]
                self.dec[f"{name}_block{index}"] = Block(
                    inputs, current, width, attention=attention[level] and index == blocks
                )
        self.aux_norm = f"{sizes[0]}x{sizes[0]}_aux_norm"
        self.aux_conv = f"{sizes[0]}x{sizes[0]}_aux_conv"
        self.dec[self.aux_norm] = norm(current)
        self.dec[self.aux_conv] = nn.Conv2d(current, pictures, 3, padding=1)

    def embedding(self, noise):
        frequencies = 1e-4 ** (torch.arange(self.half) / (self.half - 1))
        phase = noise[:, None] * frequencies
        x = torch.cat([phase.sin(), phase.cos()], dim=1)
        return F.silu(self.map_layer1(F.silu(self.map_layer0(x))))

    def forward(self, x, noise):
        embedding = self.embedding(noise)
        skips = []
        for layer in self.enc.values():
            x = layer(x, embedding) if isinstance(layer, Block) else layer(x)
            skips.append(x)
        for layer in self.dec.values():
            if isinstance(layer, Block):
                if x.shape[1] != layer.inputs:
                    x = torch.cat([x, skips.pop()], dim=1)
                x = layer(x, embedding)
        return self.dec[self.aux_conv](F.silu(self.dec[self.aux_norm](x)))


class Denoiser(nn.Module):
    """`c_skip x + c_out F(c_in x; c_noise)` (Karras et al. 2022, Table 1)."""

    def __init__(self, configuration, sigma_data):
        super().__init__()
        self.model = UNet(configuration)
        self.sigma_data = sigma_data

    def forward(self, x, sigma):
        scale = sigma[:, None, None, None]
        variance = scale**2 + self.sigma_data**2
        raw = self.model(x * variance.rsqrt(), sigma.log() / 4)
        return x * (self.sigma_data**2 / variance) + raw * (
            scale * self.sigma_data * variance.rsqrt()
        )
