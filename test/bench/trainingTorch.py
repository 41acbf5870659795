"""
The same encoder and step in PyTorch: METHOD BATCH SEQUENCE THREADS, where 0 threads are as many as PyTorch takes by
itself. Each line on stdin is a step, answered in JSON.
"""
import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn.functional import cross_entropy, gelu

METHOD = sys.argv[1]
BATCH, SEQUENCE, THREADS = map(int, sys.argv[2:5])
VOCABULARY, POSITIONS, HIDDEN, HEADS, LAYERS, INNER, LABELS, RANK = 30522, 512, 384, 12, 6, 1536, 77, 8
WIDTH = HIDDEN // HEADS
if THREADS > 0:
    torch.set_num_threads(THREADS)
torch.manual_seed(1)


class Adapted(nn.Module):
    """A linear layer with a low-rank adapter, alpha 16, where adapters are what is trained."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(HIDDEN, HIDDEN)
        if METHOD == "lora":
            self.lora_a = nn.Parameter(torch.randn(RANK, HIDDEN) * 0.02)
            self.lora_b = nn.Parameter(torch.zeros(HIDDEN, RANK))

    def forward(self, x):
        y = self.linear(x)
        return y + (x @ self.lora_a.T @ self.lora_b.T) * (16 / RANK) if METHOD == "lora" else y


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = Adapted(), nn.Linear(HIDDEN, HIDDEN), Adapted()
        self.attended = nn.Linear(HIDDEN, HIDDEN)
        self.inner, self.outer = nn.Linear(HIDDEN, INNER), nn.Linear(INNER, HIDDEN)
        self.attended_norm, self.outer_norm = nn.LayerNorm(HIDDEN, 1e-12), nn.LayerNorm(HIDDEN, 1e-12)

    def forward(self, x, mask):
        def heads(y):
            return y.view(BATCH, SEQUENCE, HEADS, WIDTH).transpose(1, 2)

        query, key, value = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        weights = torch.softmax(query @ key.transpose(-1, -2) / WIDTH**0.5 + mask, -1)
        mixed = (weights @ value).transpose(1, 2).reshape(BATCH, SEQUENCE, HIDDEN)
        x = self.attended_norm(x + self.attended(mixed))
        return self.outer_norm(x + self.outer(gelu(self.inner(x))))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.positions = nn.Embedding(VOCABULARY, HIDDEN), nn.Embedding(POSITIONS, HIDDEN)
        self.types, self.norm = nn.Embedding(2, HIDDEN), nn.LayerNorm(HIDDEN, 1e-12)
        self.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])
        self.pooler, self.classifier = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, LABELS)

    def forward(self, ids, mask):
        x = self.norm(self.words(ids) + self.positions.weight[:SEQUENCE] + self.types.weight[0])
        for layer in self.layers:
            x = layer(x, mask)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


model = Encoder()
if METHOD == "lora":
    for name, parameter in model.named_parameters():
        parameter.requires_grad = "lora_" in name or name.startswith(("pooler", "classifier"))
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.01)
ids = torch.randint(0, VOCABULARY, (BATCH, SEQUENCE))
mask, labels = torch.zeros(BATCH, 1, 1, SEQUENCE), torch.randint(0, LABELS, (BATCH,))


def peak():
    """In MiB. A child's ru_maxrss starts with what its parent held; Linux's VmHWM is its own."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


print(json.dumps({"version": torch.__version__.split("a")[0], "threads": torch.get_num_threads()}), flush=True)
for _ in sys.stdin:
    start, processor = time.perf_counter(), time.process_time()
    optimizer.zero_grad(set_to_none=True)
    cross_entropy(model(ids, mask), labels).backward()
    nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    spent = {"wall": 1000 * (time.perf_counter() - start), "processor": 1000 * (time.process_time() - processor)}
    print(json.dumps({**spent, "mebibytes": peak()}), flush=True)
