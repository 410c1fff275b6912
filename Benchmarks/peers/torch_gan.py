"""An iteration of a one-step generator's GAN in torch, f32.

Generator, projected discriminator over a frozen classifier, and the pixels as one more scale: see
Sources/DiffusionGAN/Adversarial. Pictures and activations are [batch, channels, height, width].
"""

import math

import torch
from torch import nn
from torch.nn import functional as F
from unet import UNet

SLOPE = 0.2


def part(arrays, prefix):
    """The arrays whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


class Generator(nn.Module):
    """One call of a diffusion network at one noise level (Karras et al. 2022, Table 1)."""

    def __init__(self, description):
        super().__init__()
        self.model = UNet(description["network"])
        self.sigma = description["start_sigma"]
        data, shifted = description["sigma_data"], self.sigma - description["epsilon"]
        self.inner = 1 / math.hypot(self.sigma, data)
        self.skip = data**2 / (shifted**2 + data**2)
        self.outer = shifted * data * self.inner
        # One noise level for the whole batch.
        self.register_buffer("noise", torch.tensor([math.log(self.sigma) / 4]), persistent=False)

    def forward(self, latents):
        x = latents * self.sigma
        return x * self.skip + self.model(x * self.inner, self.noise) * self.outer


class Classifier(nn.Module):
    """The maps of a frozen plain classifier: convolution, group norm and SiLU, three scales."""

    def __init__(self, configuration, arrays):
        super().__init__()
        self.scales = nn.ModuleList()
        for scale in range(len(configuration["widths"])):
            blocks = [f"scale{scale}.block{index}." for index in range(configuration["depth"])]
            self.scales.append(nn.Sequential(*(self.block(part(arrays, name)) for name in blocks)))
        self.requires_grad_(False)
        self.eval()

    @staticmethod
    def block(arrays):
        outputs, inputs = arrays["conv0.weight"].shape[:2]
        groups = min(32, max(outputs // 4, 1))
        block = nn.Sequential()
        block.add_module("conv0", nn.Conv2d(inputs, outputs, 3, padding=1))
        block.add_module("norm0", nn.GroupNorm(groups, outputs, 1e-5))
        block.add_module("silu", nn.SiLU())
        block.load_state_dict(arrays)
        return block

    def forward(self, x):
        """Activations at the end of each scale, the finest first."""
        maps = []
        for scale in self.scales:
            x = scale(F.avg_pool2d(x, 2) if maps else x)
            maps.append(x)
        return maps


class Mixing(nn.Module):
    """Fixed random 1×1 convolutions across channels, and from the coarsest scale up."""

    def __init__(self, arrays):
        super().__init__()
        for name, array in arrays.items():
            self.register_buffer(name.replace(".", "_"), array)

    def convolved(self, x, name):
        return F.conv2d(x, getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias"))

    def forward(self, maps):
        mixed = []
        for index, x in reversed(list(enumerate(maps))):
            x = self.convolved(x, f"across{index}")
            if mixed:
                x = x + F.interpolate(
                    mixed[-1], size=x.shape[2:], mode="bilinear", align_corners=True
                )
            mixed.append(self.convolved(x, f"fuse{index}"))
        return mixed[::-1]


class SpectralConvolution(nn.Module):
    """A convolution by a weight over its largest singular value, one power iteration a call.

    `left`, [outputs], is the left singular vector as far as the iterations have come.
    """

    def __init__(self, weight, bias, left, stride, padding):
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = None if bias is None else nn.Parameter(bias)
        self.register_buffer("left", left)
        self.stride, self.padding = stride, padding

    def forward(self, x):
        matrix = self.weight.flatten(1)
        with torch.no_grad():
            right = F.normalize(matrix.T @ self.left, dim=0, eps=1e-12)
            left = F.normalize(matrix @ right, dim=0, eps=1e-12)
            self.left = left
        weight = self.weight / (left @ (matrix @ right))
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


class BatchNorm(nn.Module):
    """By the batch's own mean and variance."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, x):
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True)


class Head(nn.Module):
    """Convolutions of 4×4 halve, those of 3×3 keep the size; the last one makes logits."""

    def __init__(self, weights, state):
        super().__init__()

        def layer(name, stride, padding):
            return SpectralConvolution(
                weights[f"{name}.weight"],
                weights.get(f"{name}.bias"),
                state[f"{name}.left"],
                stride,
                padding,
            )

        count = sum(name.startswith("conv") for name in state)
        strides = [2 if weights[f"conv{i}.weight"].shape[2] == 4 else 1 for i in range(count)]
        self.layers = nn.ModuleList(
            layer(f"conv{i}", stride, padding=1) for i, stride in enumerate(strides)
        )
        self.norms = nn.ModuleList(
            BatchNorm(weights[f"norm{i}.weight"], weights[f"norm{i}.bias"]) for i in range(count)
        )
        self.stem = layer("stem", stride=1, padding=1) if "stem.weight" in weights else None
        self.logits = layer("logits", stride=1, padding=0)

    def forward(self, x):
        if self.stem is not None:
            x = F.leaky_relu(self.stem(x), SLOPE)
        for layer, norm in zip(self.layers, self.norms):
            x = F.leaky_relu(norm(layer(x)), SLOPE)
        return self.logits(x).flatten(1)


class Discriminator(nn.Module):
    """A head for each scale of the classifier, and one for the pixels."""

    def __init__(self, configuration, arrays):
        super().__init__()
        self.classifier = Classifier(configuration, part(arrays, "classifier/"))
        self.mixing = Mixing(part(arrays, "mixing/mixing0."))
        scales = [f"heads0.scale{scale}" for scale in range(len(self.classifier.scales))]
        self.heads = nn.ModuleList(self.head(arrays, name) for name in scales)
        self.pixels = self.head(arrays, "pixels")

    @staticmethod
    def head(arrays, name):
        return Head(part(arrays, f"discriminator/{name}."), part(arrays, f"state/{name}."))

    def forward(self, x):
        """Logits of the classifier's heads side by side and of the pixels, [batch, logits]."""
        maps = self.mixing(self.classifier(x))
        return [torch.cat([head(x) for head, x in zip(self.heads, maps)], 1), self.pixels(x)]


class AdversarialStep:
    """A step of the generator, one of the discriminator, and at intervals one of R1."""

    def __init__(self, description, arrays):
        self.layout = getattr(torch, description["memory_format"])
        self.gamma, self.rate = description["gamma"], description["discriminator_rate"]
        self.generator = Generator(description)
        self.generator.load_state_dict(part(arrays, "generator/"))
        trainable = set(description["trainable"])
        for name, parameter in self.generator.named_parameters():
            parameter.requires_grad_(name in trainable)
        self.discriminator = Discriminator(description["classifier"], arrays)
        for network in [self.generator, self.discriminator]:
            network.to(memory_format=self.layout)
        self.trained = [p for p in self.generator.parameters() if p.requires_grad]
        self.critical = [p for p in self.discriminator.parameters() if p.requires_grad]
        self.generator_optimiser = torch.optim.Adam(
            self.trained, lr=description["rate"], betas=(0.0, 0.99), fused=True
        )
        self.discriminator_optimiser = torch.optim.Adam(self.critical, fused=True)
        self.clips_pictures = description["clip_pictures"]
        self.set_interval(description["interval"])
        names = ["generator", "discriminator", "real"]
        self.inputs = [arrays[f"input.{name}"] for name in names]
        self.batch, self.iterations = description["batch"], 0
        self.checked_rate = description["checked_rate"]
        self.checked_interval = description["checked_interval"]
        # What is frozen is its own average.
        self.average = [parameter.detach().clone() for parameter in self.trained]
        self.share = 1 - 0.5 ** (self.batch / description["half_life"])

    def set_interval(self, interval):
        """Rate and decay make up for the penalty's steps (Karras et al. 2020, StyleGAN2)."""
        self.interval = interval
        correction = interval / (interval + 1)
        for group in self.discriminator_optimiser.param_groups:
            group["lr"] = self.rate * correction
            group["betas"] = (0.0, 0.99**correction)

    def seen(self, pictures):
        """Pictures as they are stored, if the settings say so."""
        return pictures.clamp(-1, 1) if self.clips_pictures else pictures

    def step_generator(self, latents):
        """A step, and its loss."""
        for parameter in self.critical:
            parameter.requires_grad_(False)
        self.generator_optimiser.zero_grad(set_to_none=True)
        fake = self.discriminator(self.seen(self.generator(latents)))
        loss = sum(F.softplus(-logits).mean() for logits in fake)
        loss.backward()
        self.generator_optimiser.step()
        for parameter in self.critical:
            parameter.requires_grad_(True)
        return loss.item()

    def step_discriminator(self, latents, real):
        """A step, and its loss."""
        with torch.no_grad():
            pictures = self.generator(latents)
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        fake = self.discriminator(self.seen(pictures))
        loss = sum(F.softplus(logits).mean() for logits in fake)
        real_logits = self.discriminator(self.seen(real))
        loss = loss + sum(F.softplus(-logits).mean() for logits in real_logits)
        loss.backward()
        self.discriminator_optimiser.step()
        return loss.item()

    def step_penalty(self, real):
        """A step of R1, and its value without the weight for the interval."""
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        pictures = real.detach().requires_grad_()
        total = sum(logits.mean(1).sum() for logits in self.discriminator(pictures))
        (slope,) = torch.autograd.grad(total, pictures, create_graph=True)
        penalty = slope.square().sum() * (self.gamma / 2 / len(real))
        (penalty * self.interval).backward()
        self.discriminator_optimiser.step()
        return penalty.item()

    @torch.no_grad()
    def update_average(self):
        torch._foreach_lerp_(self.average, self.trained, self.share)

    def is_penalised(self, index):
        """Every so many iterations, but not the first."""
        return index > 0 and index % self.interval == 0

    def scale_rates(self, factor):
        for optimiser in [self.generator_optimiser, self.discriminator_optimiser]:
            for group in optimiser.param_groups:
                group["lr"] *= factor

    def laid_out(self, pictures):
        return pictures.contiguous(memory_format=self.layout)

    def losses(self, steps):
        shape = (self.batch, *self.inputs[0].shape[1:])
        for _ in range(steps):
            latents, others, real = (self.laid_out(torch.randn(shape)) for _ in range(3))
            loss = self.step_generator(latents)
            self.step_discriminator(others, real)
            if self.is_penalised(self.iterations):
                self.step_penalty(real)
            self.update_average()
            self.iterations += 1
            yield loss

    def check(self):
        """Of each iteration both losses, each with the norm of its gradient, and R1 or 0."""
        numbers, interval = [], self.interval
        self.set_interval(self.checked_interval)
        self.scale_rates(self.checked_rate)
        for index, inputs in enumerate(zip(*(x.split(self.batch) for x in self.inputs))):
            latents, others, real = (self.laid_out(x) for x in inputs)
            numbers += [self.step_generator(latents), norm(self.trained)]
            numbers += [self.step_discriminator(others, real), norm(self.critical)]
            numbers.append(self.step_penalty(real) if self.is_penalised(index) else 0.0)
            self.update_average()
        self.scale_rates(1 / self.checked_rate)
        self.set_interval(interval)
        return numbers


def norm(parameters):
    """Of their gradients, all together."""
    return math.sqrt(sum(p.grad.double().square().sum().item() for p in parameters))
