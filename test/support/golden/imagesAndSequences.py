"""Reference numbers for a residual network, LSTM with CTC, SASRec and a bag of words, computed by PyTorch's own layers in float64.

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
        is_norm = any(part in name for part in ("bn", "downsample.1", "layernorm")) and name.endswith("weight")
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


class SasRecLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention_layernorm = nn.LayerNorm(width, eps=1e-8)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.forward_layernorm = nn.LayerNorm(width, eps=1e-8)
        self.forward1, self.forward2 = (nn.Linear(width, width) for _ in range(2))

    def forward(self, x, hidden):
        normal = self.attention_layernorm(x)
        split = lambda y: torch.stack(y.chunk(2, -1), 1)
        query, key, value = split(self.query(normal)), split(self.key(normal)), split(self.value(normal))
        scores = query @ key.transpose(2, 3) / (x.shape[-1] / 2) ** 0.5
        mixed = scores.masked_fill(hidden, float("-inf")).softmax(-1) @ value
        x = x + self.out(torch.cat(mixed.unbind(1), -1))
        return x + self.forward2(F.relu(self.forward1(self.forward_layernorm(x))))


class SasRec(nn.Module):
    def __init__(self):
        super().__init__()
        self.item_emb, self.pos_emb = nn.Embedding(10, 8), nn.Embedding(6, 8)
        self.layers = nn.ModuleList([SasRecLayer(8), SasRecLayer(8)])
        self.last_layernorm = nn.LayerNorm(8, eps=1e-8)

    def forward(self, history):
        there, length = history > 0, history.shape[1]
        x = self.item_emb(history) * 8**0.5 + self.pos_emb.weight[:length]
        x = x * there[:, :, None]
        later = torch.ones(length, length).triu(1).bool()
        for layer in self.layers:
            x = layer(x, later | ~there[:, None, None, :])
        return self.last_layernorm(x) @ self.item_emb.weight.T


class BagOfWords(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = nn.EmbeddingBag(12, 6, mode="mean", padding_idx=0)
        self.classifier = nn.Linear(6, 3)

    def forward(self, ids):
        return self.classifier(self.embeddings(ids))


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


def sas_rec():
    recommender = SasRec()
    fill(recommender)
    history = torch.tensor([[3, 7, 1, 9, 4], [5, 5, 2, 0, 0], [8, 6, 4, 1, 0]])
    following = torch.where(history == 0, -100, history)[:, 1:].flatten()
    loss_of = lambda: F.cross_entropy(recommender(history)[:, :-1].flatten(0, 1), following, ignore_index=-100)
    losses = train(recommender, loss_of)
    return {"losses": losses, "logits": recommender(history)[history > 0].flatten().tolist()}


def bag_of_words():
    bag = BagOfWords()
    fill(bag)
    ids, labels = torch.tensor([[3, 7, 1, 9], [5, 5, 2, 0], [8, 0, 0, 0]]), torch.tensor([0, 2, 1])
    losses = train(bag, lambda: F.cross_entropy(bag(ids), labels))
    return {"losses": losses, "logits": bag(ids).flatten().tolist()}


print(json.dumps({"resNet": res_net(), "lstmCtc": lstm_ctc(), "sasRec": sas_rec(), "embeddingBag": bag_of_words()}, indent=1))
