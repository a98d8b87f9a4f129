"""How cost grows: time per generated token against context, per prompt token against prompt length, with each number of threads, for models of several sizes.

    python3 bench/growth.py JAR THREADS MODEL...  >  growth.md          THREADS: e.g. 1,2; beside it growth.svg

Every point is one run after one to warm up. What should be seen: a token costs the weights' bytes plus a term that is linear in the context; a prompt token the same
whatever the length, but for attention.
"""

import json
import os
import subprocess
import sys

CONTEXTS = [0, 1024, 2048, 4096, 8064]
PROMPTS = [128, 512, 2048, 8192]


def bench(jar, model, *options):
    """Rows of one run of the verb bench."""
    command = ["java", "-jar", jar, "--quiet", "bench", "-m", model, "-r", "1", "-o", "json", *options]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def milliseconds(row):
    """Per token."""
    tokens = row["n_prompt"] + row["n_gen"]
    return row["samples_ns"][0] / 1e6 / tokens


def series(jar, model, threads):
    fits = lambda sizes: ",".join(str(n) for n in sizes)
    generated = bench(jar, model, "-t", threads, "-p", "0", "-n", "16", "-d", fits(CONTEXTS))
    prompts = bench(jar, model, "-t", threads, "-p", fits(PROMPTS), "-n", "0", "--warm-up", "0")
    return (
        [(row["n_depth"], milliseconds(row)) for row in generated],
        [(row["n_prompt"], milliseconds(row)) for row in prompts],
    )


def table(title, note, curves):
    sizes = sorted({x for _, points in curves for x, _ in points})
    lines = [f"## {title}", "", "| model, threads | " + " | ".join(f"{x}" for x in sizes) + " |"]
    lines.append("|---|" + "--:|" * len(sizes))
    for name, points in curves:
        found = dict(points)
        lines.append(f"| {name} | " + " | ".join(f"{found[x]:.2f}" if x in found else "-" for x in sizes) + " |")
    return lines + ["", note, ""]


def plot(x, y, width, height, title, label, curves):
    """One diagram as SVG elements; its axes begin at 0."""
    most_x = max(p[0] for _, points in curves for p in points)
    most_y = 1.05 * max(p[1] for _, points in curves for p in points)
    at = lambda p: (x + 50 + (width - 70) * p[0] / most_x, y + height - 40 - (height - 70) * p[1] / most_y)
    out = [f'<text x="{x + width / 2}" y="{y + 16}" text-anchor="middle" font-weight="bold">{title}</text>']
    for i in range(5):
        left, at_y = at((0, most_y * i / 4))
        out.append(f'<line x1="{left}" y1="{at_y}" x2="{x + width - 20}" y2="{at_y}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 4}" y="{at_y + 4}" text-anchor="end">{most_y * i / 4:.0f}</text>')
        tick, bottom = at((most_x * i / 4, 0))
        out.append(f'<text x="{tick}" y="{bottom + 16}" text-anchor="middle">{most_x * i / 4:.0f}</text>')
    out.append(f'<text x="{x + width / 2}" y="{y + height - 4}" text-anchor="middle">{label}</text>')
    colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
    for i, (name, points) in enumerate(curves):
        colour = colours[i % len(colours)]
        path = " ".join("%.1f,%.1f" % at(p) for p in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{x + 60}" y="{y + 40 + 15 * i}" fill="{colour}">{name}</text>')
    return out


def main():
    if len(sys.argv) < 4:
        sys.exit("usage: python3 bench/growth.py JAR THREADS MODEL...")
    jar, counts, models = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
    generated, prompts = [], []
    for model in models:
        for threads in counts:
            name = f"{os.path.basename(model.rstrip('/'))}, {threads}"
            print(name, file=sys.stderr)
            tokens, chunks = series(jar, model, threads)
            generated.append((name, tokens))
            prompts.append((name, chunks))
    lines = table("Generation: ms a token, by tokens already in the context", "16 tokens each.", generated)
    lines += table("Prompts: ms a token, by length", "Computed in chunks of 512.", prompts)
    print("\n".join(lines))
    svg = plot(0, 0, 560, 380, "generation", "tokens in the context", generated)
    svg += plot(560, 0, 560, 380, "prompts", "tokens of the prompt", prompts)
    with open("growth.svg", "w") as file:
        file.write('<svg xmlns="http://www.w3.org/2000/svg" width="1120" height="400" font-family="sans-serif" font-size="12">')
        file.write('<rect width="1120" height="400" fill="white"/>' + "".join(svg) + "</svg>\n")


if __name__ == "__main__":
    main()
