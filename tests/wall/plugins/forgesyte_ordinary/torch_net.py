"""A small network of torch with fixed weights, on two threads."""

import torch

from forgesyte_sdk import Plugin, Tool, ToolOptions, ToolOutput


class Answers(ToolOutput):
    """What the network says."""

    values: list[float]


class Ask(Tool[ToolOptions, Answers]):
    """Asks the network about each frame."""

    name = "ask"
    Options = ToolOptions
    plugin: "TorchNet"

    def process_frame(self, frame):
        picture = torch.from_numpy(frame.image.copy()).permute(2, 0, 1).unsqueeze(0).float() / 255
        with torch.inference_mode():
            return Answers(values=self.plugin.net(picture)[0].tolist())


class TorchNet(Plugin):
    """Three convolutions and a layer on top."""

    name = "torch-net"
    version = "0.1.0"
    tools = (Ask,)

    def load(self, device):
        torch.set_num_threads(2)
        torch.manual_seed(7)
        layers = []
        for inputs, outputs in ((3, 16), (16, 32), (32, 32)):
            layers += [torch.nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), torch.nn.ReLU()]
        top = (torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(512, 10))
        self.net = torch.nn.Sequential(*layers, *top).to(device).eval()
