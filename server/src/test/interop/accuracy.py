"""Whether lm-evaluation-harness and the verb eval agree on the same items: accuracy.py EVAL.json RESULTS ITEMS."""

import json
import pathlib
import sys

ours = json.loads(pathlib.Path(sys.argv[1]).read_text())["tasks"]["piqa"]
(path,) = pathlib.Path(sys.argv[2]).rglob("results_*.json")
theirs = json.loads(path.read_text())["results"]["obr_piqa"]
pairs = {name: (ours[name], theirs[name + ",none"]) for name in ("acc", "acc_norm")}
shown = ", ".join("%s %.4f and %.4f" % (name, *pair) for name, pair in pairs.items())
if ours["items"] != int(sys.argv[3]) or any(abs(a - b) > 1e-9 for a, b in pairs.values()):
    sys.exit("eval and lm-evaluation-harness differ on %d items of piqa: %s" % (ours["items"], shown))
print("lm-evaluation-harness: as eval on %d items of piqa (%s)" % (ours["items"], shown))
