"""Writes test/golden/print.json: how torch prints tensors."""
import json
import pathlib

import torch
from head import head

nan, inf = float("nan"), float("inf")
CASES = [
    (2.3055, []), (3.0, []), (-0.0, []), (nan, []), (0.03125, []), (1e-5, []), (123456789.0, []),
    ([1, 2, 3], [3]), ([1.5, 2, -3], [3]), ([0, 0], [2]), ([], [0]), ([1e-5, 1], [2]), ([100005, 1], [2]),
    ([nan, 1, inf, -inf], [4]), ([1.25, nan], [2]), ([1000, 1], [2]), ([1001, 1], [2]), ([0.00015, 0.1], [2]),
    ([2.5e8, 1e8], [2]), ([0.5, 0.25, 0.125, 0.0625, 0.03125, 0.09375], [6]),
    (list(range(12)), [3, 4]), ([x / 7 for x in range(24)], [2, 3, 4]), ([x / 3 for x in range(40)], [40]),
    ([x / 3 for x in range(1200)], [30, 40]), ([x / 3 for x in range(1001)], [1001]), ([float(x) for x in range(1200)], [2, 600]),
    ([x * 0.001 for x in range(2000)], [10, 10, 20]), ([], [2, 0]), ([1e10, 1], [1, 2]), ([-1.5] * 30, [30]),
]
rows = []
for values, shape in CASES:
    for grad in (False, True):
        t = torch.tensor(values, dtype=torch.float32).reshape(shape).requires_grad_(grad)
        rows.append({"values": [v if v == v and abs(v) != inf else str(v) for v in (values if isinstance(values, list) else [values])],
                     "shape": shape, "dtype": "float32", "requires_grad": grad, "text": str(t)})
for values, shape in [([1, -20, 3], [3]), (list(range(1200)), [30, 40]), (7, [])]:
    rows.append({"values": values if isinstance(values, list) else [values], "shape": shape, "dtype": "int32",
                 "requires_grad": False, "text": str(torch.tensor(values).reshape(shape))})
rows.append({"values": [1, 0], "shape": [2], "dtype": "bool", "requires_grad": False, "text": str(torch.tensor([True, False]))})
out = pathlib.Path(__file__).parents[2] / "test/golden/print.json"
out.write_text(json.dumps({"head": head(note="nothing is drawn at random"), "rows": rows}, separators=(",", ":")))
print(len(rows), "rows,", out.stat().st_size, "bytes")
