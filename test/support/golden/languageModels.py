"""Reference numbers for language models, computed by PyTorch in float64 from plain tensor functions.

Run with Debian's python3-torch; the result is committed beside this file, PyTorch is not:
    /usr/bin/python3 test/support/golden/languageModels.py > test/support/golden/languageModels.json
Each weight is a formula of its name (see `first_value`), so that both sides start alike without a file of weights.
"""
import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
STEPS, RATE, DECAY = 20, 5e-3, 0.01
HIDDEN, HEADS, INNER, LAYERS, VOCABULARY, POSITIONS = 16, 2, 24, 2, 40, 14
IDS = torch.tensor([[5, 9, 31, 2, 17], [8, 25, 3, 0, 0]])
SEEN = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
TOKEN_LABELS = torch.where(SEEN == 1, IDS, -100)
HIDDEN_LABELS = torch.tensor([[-100, 7, -100, 21, -100], [33, -100, 12, -100, -100]])
TEXT_LABELS = torch.tensor([2, 0])


def first_value(name, shape):
    """Norms' weights around 1, everything else around 0; rounded to float32, as the engine holds it."""
    hashed = 0x811C9DC5
    for byte in name.encode():
        hashed = ((hashed ^ byte) * 0x01000193) & 0xFFFFFFFF
    count = math.prod(shape)
    turns = [43758.5453 * math.sin(hashed % 1000 + 12.9898 * i) for i in range(count)]
    values = [2 * (turn - math.floor(turn)) - 1 for turn in turns]
    is_norm = name.endswith(("norm.weight", "Norm.weight", "ln_1.weight", "ln_2.weight", "ln_f.weight"))
    scaled = [1 + 0.1 * v if is_norm else 0.3 * v for v in values]
    return torch.tensor(scaled, dtype=torch.float32).double().reshape(shape)


class Weights:
    """Parameters made as they are asked for, by name."""

    def __init__(self):
        self.found = {}

    def __call__(self, name, *shape):
        if name not in self.found:
            self.found[name] = first_value(name, shape).requires_grad_()
        return self.found[name]

    def linear(self, name, x, outputs, bias=True):
        weight = self(name + ".weight", outputs, x.shape[-1])
        return F.linear(x, weight, self(name + ".bias", outputs) if bias else None)

    def conv1d(self, name, x, outputs):
        return x @ self(name + ".weight", x.shape[-1], outputs) + self(name + ".bias", outputs)

    def layer_norm(self, name, x, epsilon):
        width = x.shape[-1]
        return F.layer_norm(x, (width,), self(name + ".weight", width), self(name + ".bias", width), epsilon)

    def rms_norm(self, name, x, epsilon):
        return self(name + ".weight", x.shape[-1]) * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon)


def heads_of(x, count):
    return x.reshape(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def attend(query, key, value, causal):
    length = query.shape[2]
    allowed = SEEN.bool()[:, None, None, :]
    if causal:
        allowed = allowed & torch.ones(length, length).tril().bool()
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    mixed = scores.masked_fill(~allowed, float("-inf")).softmax(-1) @ value
    return mixed.transpose(1, 2).flatten(2)


BERT_LAYER = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mixed": "attention.output.dense",
    "mixed_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "outer_norm": "output.LayerNorm",
}
DISTIL_LAYER = {
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "mixed": "attention.out_lin",
    "mixed_norm": "sa_layer_norm",
    "inner": "ffn.lin1",
    "outer": "ffn.lin2",
    "outer_norm": "output_layer_norm",
}


def encoder(w, prefix, layers, names, positions, first, types, epsilon):
    table = lambda name, rows: w(f"{prefix}.embeddings.{name}_embeddings.weight", rows, HIDDEN)
    x = table("word", VOCABULARY)[IDS] + table("position", positions)[first : first + IDS.shape[1]]
    if types:
        x = x + table("token_type", types)[0]
    x = w.layer_norm(f"{prefix}.embeddings.LayerNorm", x, epsilon)
    for i in range(LAYERS):
        at = {part: f"{prefix}.{layers}.{i}.{name}" for part, name in names.items()}
        query, key, value = (heads_of(w.linear(at[n], x, HIDDEN), HEADS) for n in ("query", "key", "value"))
        mixed = w.linear(at["mixed"], attend(query, key, value, False), HIDDEN)
        x = w.layer_norm(at["mixed_norm"], x + mixed, epsilon)
        inner = w.linear(at["outer"], F.gelu(w.linear(at["inner"], x, INNER)), HIDDEN)
        x = w.layer_norm(at["outer_norm"], x + inner, epsilon)
    return x


def masked_loss(w, x, prefix, dense, norm, bias, epsilon):
    inner = w.layer_norm(norm, F.gelu(w.linear(dense, x, HIDDEN)), epsilon)
    table = w(f"{prefix}.embeddings.word_embeddings.weight", VOCABULARY, HIDDEN)
    logits = inner @ table.T + w(bias, VOCABULARY)
    return logits, F.cross_entropy(logits.flatten(0, 1), HIDDEN_LABELS.flatten(), ignore_index=-100)


def bert(w):
    first = encoder(w, "bert", "encoder.layer", BERT_LAYER, POSITIONS, 0, 2, 1e-12)[:, 0]
    return text_loss(w.linear("classifier", torch.tanh(w.linear("bert.pooler.dense", first, HIDDEN)), 3))


def roberta(w):
    first = encoder(w, "roberta", "encoder.layer", BERT_LAYER, POSITIONS, 2, 1, 1e-5)[:, 0]
    return text_loss(w.linear("classifier.out_proj", torch.tanh(w.linear("classifier.dense", first, HIDDEN)), 3))


def distilbert(w):
    first = encoder(w, "distilbert", "transformer.layer", DISTIL_LAYER, 12, 0, 0, 1e-12)[:, 0]
    return text_loss(w.linear("classifier", torch.relu(w.linear("pre_classifier", first, HIDDEN)), 3))


def bert_masked(w):
    x = encoder(w, "bert", "encoder.layer", BERT_LAYER, POSITIONS, 0, 2, 1e-12)
    at = "cls.predictions"
    return masked_loss(w, x, "bert", f"{at}.transform.dense", f"{at}.transform.LayerNorm", f"{at}.bias", 1e-12)


def roberta_masked(w):
    x = encoder(w, "roberta", "encoder.layer", BERT_LAYER, POSITIONS, 2, 1, 1e-5)
    return masked_loss(w, x, "roberta", "lm_head.dense", "lm_head.layer_norm", "lm_head.bias", 1e-5)


def distilbert_masked(w):
    x = encoder(w, "distilbert", "transformer.layer", DISTIL_LAYER, 12, 0, 0, 1e-12)
    return masked_loss(w, x, "distilbert", "vocab_transform", "vocab_layer_norm", "vocab_projector.bias", 1e-12)


def text_loss(logits):
    return logits, F.cross_entropy(logits, TEXT_LABELS)


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gpt2(w):
    tokens = w("transformer.wte.weight", VOCABULARY, HIDDEN)
    x = tokens[IDS] + w("transformer.wpe.weight", POSITIONS, HIDDEN)[: IDS.shape[1]]
    for i in range(LAYERS):
        at = f"transformer.h.{i}"
        fused = w.conv1d(f"{at}.attn.c_attn", w.layer_norm(f"{at}.ln_1", x, 1e-5), 3 * HIDDEN)
        mixed = attend(*(heads_of(part, HEADS) for part in fused.split(HIDDEN, -1)), True)
        x = x + w.conv1d(f"{at}.attn.c_proj", mixed, HIDDEN)
        inner = gelu_tanh(w.conv1d(f"{at}.mlp.c_fc", w.layer_norm(f"{at}.ln_2", x, 1e-5), 4 * HIDDEN))
        x = x + w.conv1d(f"{at}.mlp.c_proj", inner, HIDDEN)
    logits = w.layer_norm("transformer.ln_f", x, 1e-5) @ tokens.T
    return logits, next_token_loss(logits)


def llama3_frequencies(plain, factor=8.0, low=1.0, high=4.0, original=64):
    """As Llama 3.1 scales them: by wavelength, case by case."""
    scaled = []
    for frequency in plain.tolist():
        wavelength = 2 * math.pi / frequency
        if wavelength < original / high:
            scaled.append(frequency)
        elif wavelength > original / low:
            scaled.append(frequency / factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            scaled.append((1 - smooth) * frequency / factor + smooth * frequency)
    return torch.tensor(scaled)


def rotate(x, theta, scaled):
    half = x.shape[-1] // 2
    frequencies = theta ** (-torch.arange(half) / half)
    angles = torch.arange(x.shape[2])[:, None] * (llama3_frequencies(frequencies) if scaled else frequencies)
    cos, sin = torch.cat([angles, angles], -1).cos(), torch.cat([angles, angles], -1).sin()
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


def decoder(w, bias, theta, scaled=False):
    x = w("model.embed_tokens.weight", VOCABULARY, HIDDEN)[IDS]
    for i in range(LAYERS):
        at = f"model.layers.{i}"
        normal = w.rms_norm(f"{at}.input_layernorm", x, 1e-5)
        project = lambda n, count: heads_of(w.linear(f"{at}.self_attn.{n}", normal, count * 8, bias), count)
        query, key = (rotate(project(n, count), theta, scaled) for n, count in (("q_proj", 2), ("k_proj", 1)))
        key, value = key.repeat_interleave(2, 1), project("v_proj", 1).repeat_interleave(2, 1)
        mixed = attend(query, key, value, True)
        x = x + w.linear(f"{at}.self_attn.o_proj", mixed, HIDDEN, False)
        normal = w.rms_norm(f"{at}.post_attention_layernorm", x, 1e-5)
        gate = F.silu(w.linear(f"{at}.mlp.gate_proj", normal, INNER, False))
        inner = gate * w.linear(f"{at}.mlp.up_proj", normal, INNER, False)
        x = x + w.linear(f"{at}.mlp.down_proj", inner, HIDDEN, False)
    return w.rms_norm("model.norm", x, 1e-5)


def llama(w):
    logits = w.linear("lm_head", decoder(w, False, 10000.0), VOCABULARY, False)
    return logits, next_token_loss(logits)


def llama3(w):
    logits = w.linear("lm_head", decoder(w, False, 100.0, True), VOCABULARY, False)
    return logits, next_token_loss(logits)


def qwen2(w):
    logits = decoder(w, True, 1e6) @ w("model.embed_tokens.weight", VOCABULARY, HIDDEN).T
    return logits, next_token_loss(logits)


def next_token_loss(logits):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), TOKEN_LABELS[:, 1:].flatten(), ignore_index=-100)


def run(model):
    weights, losses, optimizer = Weights(), [], None
    for _ in range(STEPS):
        loss = model(weights)[1]
        if optimizer is None:
            decaying = [p for p in weights.found.values() if p.dim() > 1]
            others = [p for p in weights.found.values() if p.dim() == 1]
            groups = [{"params": decaying, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
            optimizer = torch.optim.AdamW(groups, lr=RATE)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    logits, loss = model(weights)
    rows = logits[SEEN.bool()] if logits.dim() == 3 else logits
    return {"losses": losses + [loss.item()], "logits": [round(v, 9) for v in rows.flatten().tolist()]}


MODELS = (bert, roberta, distilbert, bert_masked, roberta_masked, distilbert_masked, gpt2, llama, llama3, qwen2)
print(json.dumps({model.__name__: run(model) for model in MODELS}))
