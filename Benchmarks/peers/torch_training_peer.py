"""Steps of training in torch, f32: forward, backward, Adam and the average of the weights.

Each kind of step is a class with `losses(steps)`, which takes steps on pictures of its own noise,
and `check()`, whose numbers are compared with the project's. `WORKS` names them.
"""

import os

# Threads of libgomp that wait turning take the processor from each other on a machine that others
# use too: a step took seven times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from safetensors.torch import load_file
from torch_gan import AdversarialStep
from unet import Denoiser


class DenoisingStep:
    """EDM's loss of a DDPM++ network (Karras et al. 2022, Table 1)."""

    def __init__(self, description, arrays):
        self.layout = getattr(torch, description["memory_format"])
        self.sigma_data = description["sigma_data"]
        self.mean, self.deviation = description["noise_mean"], description["noise_deviation"]
        self.network = Denoiser(description["network"], self.sigma_data)
        inputs = {
            name: arrays.pop(f"input.{name}") for name in ["clean", "noise", "sigma"]
        }
        self.clean = self.laid_out(inputs["clean"])
        self.noise = self.laid_out(inputs["noise"])
        self.sigma = inputs["sigma"]
        self.network.load_state_dict(arrays)
        self.network.to(memory_format=self.layout)
        self.parameters = list(self.network.parameters())
        self.average = [parameter.detach().clone() for parameter in self.parameters]
        self.share = 1 - 0.5 ** (len(self.clean) / description["half_life"])
        self.optimiser = torch.optim.Adam(self.parameters, lr=description["rate"], fused=True)

    def laid_out(self, pictures):
        return pictures.contiguous(memory_format=self.layout)

    def step(self, noise, sigma):
        """One step, and its loss: the weighted squared error of a sample."""
        self.optimiser.zero_grad(set_to_none=True)
        scale = sigma[:, None, None, None]
        denoised = self.network(self.clean + noise * scale, sigma)
        weight = (scale**2 + self.sigma_data**2) / (scale * self.sigma_data) ** 2
        loss = (weight * (denoised - self.clean) ** 2).sum() / len(sigma)
        loss.backward()
        self.optimiser.step()
        torch._foreach_lerp_(self.average, self.parameters, self.share)
        return loss.item()

    def losses(self, steps):
        for _ in range(steps):
            sigma = (torch.randn(len(self.clean)) * self.deviation + self.mean).exp()
            yield self.step(self.laid_out(torch.randn(self.clean.shape)), sigma)

    def check(self):
        """The norm of the gradient, then the losses of three steps on the inputs given."""
        first = self.step(self.noise, self.sigma)
        norm = torch.sqrt(sum(parameter.grad.double().square().sum() for parameter in self.parameters))
        return [norm.item(), first] + [self.step(self.noise, self.sigma) for _ in range(2)]


WORKS = {"train_step": DenoisingStep, "gan_step": AdversarialStep}


class Peer:
    version = torch.__version__

    def __init__(self, path, description):
        torch.set_num_threads(description["threads"])
        self.work = WORKS[description["work"]](description, load_file(path))

    def prepare(self, work, limit):
        return work, limit

    def run(self, work, limit):
        return self.work.check() if work == "check" else list(self.work.losses(limit))
