"""A trainer in PyTorch that does as it is told over a pipe.

A message, either way: four bytes with the length of a line of JSON, the JSON, and the bytes of the tensors that it lists
under "tensors" as [name, shape, "float32" | "int64"], one after another.
"""

import json
import struct
import sys

import torch

torch.set_num_threads(1)
GATES = {"lstm": "ifgo", "gru": "rzn"}  # in PyTorch's order
TYPES = {"float32": torch.float32, "int64": torch.int64}


class Net(torch.nn.Module):
    def __init__(self, net, parameters):
        super().__init__()
        self.net = net
        width = net["input"]
        if isinstance(width, dict):
            self.embedding = torch.nn.Embedding(width["vocabulary"], width["size"])
            width = width["size"]
        self.cell = (torch.nn.LSTM if net["cell"] == "lstm" else torch.nn.GRU)(width, net["hidden"])
        self.head = torch.nn.Linear(net["hidden"], net["outputs"])
        # Of its two biases Recurra has one, except inside the GRU's reset: the other stays 0.
        wanted = torch.zeros_like(self.cell.bias_hh_l0)
        if net["cell"] == "gru":
            wanted[2 * net["hidden"] :] = 1
        self.cell.bias_hh_l0.register_hook(lambda gradient: gradient * wanted)
        self.write(parameters)

    def forward(self, x):
        if isinstance(self.net["input"], dict):
            x = self.embedding(x)
        y, _ = self.cell(x)
        return self.head(y[-1] if self.net["last"] else y)

    def read(self):
        """By Recurra's names."""
        gates, cell = GATES[self.net["cell"]], self.cell
        found = {"head.W": self.head.weight, "head.b": self.head.bias}
        if isinstance(self.net["input"], dict):
            found["embedding.W"] = self.embedding.weight
        for name, stacked in {"W": cell.weight_ih_l0, "U": cell.weight_hh_l0, "b": cell.bias_ih_l0}.items():
            for gate, part in zip(gates, stacked.chunk(len(gates))):
                found[f"cell.{name}.{gate}"] = part
        if self.net["cell"] == "gru":
            found["cell.d"] = cell.bias_hh_l0[2 * self.net["hidden"] :]
        return {name: value.detach() for name, value in found.items()}

    def write(self, parameters):
        with torch.no_grad():
            self.cell.bias_hh_l0.zero_()
            for name, value in self.read().items():
                value.copy_(parameters[name])


def receive():
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        sys.exit()
    message = json.loads(sys.stdin.buffer.read(struct.unpack("<I", head)[0]))
    tensors = {}
    for name, shape, kind in message.pop("tensors"):
        count = torch.Size(shape).numel()
        data = bytearray(sys.stdin.buffer.read(count * (4 if kind == "float32" else 8)))
        tensors[name] = torch.frombuffer(data, dtype=TYPES[kind]).reshape(shape) if count else torch.zeros(shape)
    return message, tensors


def answer(tensors, **message):
    tensors = {name: value.detach().contiguous() for name, value in tensors.items()}
    message["tensors"] = [[name, list(value.shape), "float32"] for name, value in tensors.items()]
    line = json.dumps(message).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(line)) + line)
    for value in tensors.values():
        sys.stdout.buffer.write(value.numpy().tobytes())
    sys.stdout.buffer.flush()


def loss_of(kind, output, target):
    """The mean over all that counts, and how much that is. Targets past a row's end are -100."""
    if kind == "meanSquared":
        return torch.nn.functional.mse_loss(output, target), output.shape[0]
    rows = output.reshape(-1, output.shape[-1])
    return torch.nn.functional.cross_entropy(rows, target.reshape(-1)), int((target >= 0).sum())


def main():
    while True:
        message, tensors = receive()
        op = message["op"]
        if op == "open":
            kind, clip = message["loss"], message["clip"]
            model = Net(message["net"], tensors)
            adam = torch.optim.Adam(model.parameters(), lr=message["learningRate"])
            answer({})
        elif op == "state":
            answer(model.read())
        elif op == "restore":
            model.write(tensors)
            answer({})
        elif op == "evaluate":
            with torch.no_grad():
                output = model(tensors["x"])
                loss, weight = loss_of(kind, output, tensors["target"])
            answer({"output": output}, loss=float(loss), weight=weight)
        elif op == "step":
            adam.param_groups[0]["lr"] = message["learningRate"]
            adam.zero_grad()
            output = model(tensors["x"])
            loss, weight = loss_of(kind, output, tensors["target"])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            adam.step()
            answer({"output": output}, loss=float(loss), weight=weight)


main()
