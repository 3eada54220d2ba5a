"""Writes test/golden/functions.json: torch's functions on small tensors. test/functions.test.ts has the same by name."""
import json
import pathlib

import torch
from head import head

torch.manual_seed(0)
x, y, m = torch.randn(2, 3), torch.rand(2, 3) + 0.5, torch.randn(3, 4)
b1, b2 = torch.randn(2, 2, 3), torch.randn(2, 3, 2)
EXPRESSIONS = """
abs(x) ceil(x) cos(x) erf(x) exp(x) expm1(x) floor(x) log(y) log1p(y) neg(x) reciprocal(y) relu(x) round(x*10) rsqrt(y)
sigmoid(x) sign(x) sin(x) sqrt(y) square(x) tan(x) tanh(x) isnan(log(x)) isinf(log(x*0)) isfinite(log(x))
add(x,y) add(x,y,alpha=2) sub(x,y,alpha=0.5) mul(x,y) div(x,y) pow(y,3) maximum(x,y) minimum(x,y) eq(x,x) ne(x,y) gt(x,0)
ge(x,y) lt(x,y) le(x,0) matmul(x,m) mm(x,m) bmm(b1,b2) dot(x[0],y[0])
sum(x) sum(x,1) sum(x,dim=0,keepdim=True) mean(x) mean(x,1,True) mean(x,(0,1)) prod(y) prod(y,1)
max(x) max(x,1)[0] max(x,1)[1] max(x,0,True)[0] max(x,y) min(x) min(x,dim=-1,keepdim=True)[1] argmax(x) argmax(x,1) argmin(x,0,True)
reshape(x,(3,2)) transpose(x,0,1) t(x) permute(b1,(2,0,1)) unsqueeze(x,-1) squeeze(x[:1]) squeeze(x[:1],0) flatten(b1) flatten(b1,1)
cat((x,y)) cat((x,y),1) cat((x,y),dim=-1) stack((x,y)) stack((x,y),-1) split(m,2)[1] split(m,3,1)[1] split(m,(1,3),1)[1] chunk(m,3,1)[1]
where(x>0,x,y) clamp(x,-0.5,0.5) clamp(x,min=0) clamp(x,max=0.25)
""".split()
rows = {e: None for e in EXPRESSIONS}
for e in EXPRESSIONS:
    result = eval(e, {**vars(torch), "x": x, "y": y, "m": m, "b1": b1, "b2": b2})
    rows[e] = {"shape": list(result.shape), "values": [v if v == v and abs(v) != float("inf") else str(v) for v in result.flatten().to(torch.float64).tolist()]}
out = pathlib.Path(__file__).parents[2] / "test/golden/functions.json"
out.write_text(json.dumps({"head": head(seed=0),
    "inputs": {n: {"shape": list(t.shape), "values": t.flatten().tolist()} for n, t in dict(x=x, y=y, m=m, b1=b1, b2=b2).items()},
    "rows": rows}, separators=(",", ":")))
print(len(rows), "rows,", out.stat().st_size, "bytes")
