"""Reference numbers for a residual network and for LSTM with CTC, computed by PyTorch's own layers in float64.

Run with Debian's python3-torch; the result is committed beside this file, PyTorch is not:
    /usr/bin/python3 test/support/golden/imagesAndSequences.py > test/support/golden/imagesAndSequences.json
Weights and data are a formula of their name, so that both sides start alike without a file of weights.
"""
import json

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
STEPS, RATE = 20, 1e-2


def values(name, shape, size, centre=0.0):
    """A linear congruential sequence that starts from the name's length and first letters, in float32."""
    state = (sum(ord(letter) * (i + 1) for i, letter in enumerate(name)) * 7919) % 2147483647
    found = []
    for _ in range(torch.Size(shape).numel()):
        state = (state * 48271) % 2147483647
        found.append(centre + size * (2 * state / 2147483647 - 1))
    return torch.tensor(found, dtype=torch.float32).double().reshape(shape)


def fill(module):
    for name, weight in module.named_parameters():
        is_norm = ("bn" in name or "downsample.1" in name) and name.endswith("weight")
        weight.data = values(name, weight.shape, 0.1 if is_norm else 0.3, 1.0 if is_norm else 0.0)


def train(module, loss_of):
    optimizer = torch.optim.AdamW(module.parameters(), lr=RATE, weight_decay=0)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(Block(4, 4, 1))
        self.layer2 = nn.Sequential(Block(4, 6, 2))
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        y = self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x)))))
        return self.fc(y.mean((2, 3)))


class Listener(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 5, num_layers=2, bidirectional=True, batch_first=True)
        self.classifier = nn.Linear(10, 4)

    def forward(self, x):
        return self.classifier(self.lstm(x)[0])


def res_net():
    network = ResNet()
    fill(network)
    image, labels = values("image", (4, 2, 7, 6), 1.0), torch.tensor([0, 2, 1, 2])
    losses = train(network, lambda: F.cross_entropy(network(image), labels))
    network.eval()
    return {"losses": losses, "logits": network(image).flatten().tolist()}


def lstm_ctc():
    listener = Listener()
    fill(listener)
    sound, frames = values("sound", (3, 8, 3), 1.0), torch.tensor([8, 8, 8])
    labels, lengths = torch.tensor([[1, 2, 2], [3, 1, 1], [2, 1, 1]]), torch.tensor([3, 1, 2])
    losses = train(
        listener,
        lambda: F.ctc_loss(F.log_softmax(listener(sound), 2).transpose(0, 1), labels, frames, lengths),
    )
    return {"losses": losses, "logits": listener(sound).flatten().tolist()}


print(json.dumps({"resNet": res_net(), "lstmCtc": lstm_ctc()}, indent=1))
