#!/usr/bin/env python3
"""What NVIDIA's assembler makes of the committed PTX: one row for each entry and architecture, as a Markdown table.

usage: report.py FOLDER_OF_PTXAS_AND_CUOBJDUMP FILE.ptx ...

Instructions are counted in the whole entry, not only in its main loop. CALL counts calls of an emulated product and is 0; the slow paths of divisions are calls, too, and not counted.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ARCHITECTURES = ["sm_80", "sm_86", "sm_89", "sm_90"]
COUNTED = [  # title, pattern of the opcode
    ("IMMA.SP.168128", r"IMMA\.SP\.168128\S*"),
    ("IMMA.SP.16864", r"IMMA\.SP\.16864\S*"),
    ("IMMA.16864", r"IMMA\.16864\S*"),
    ("IMMA.16832", r"IMMA\.16832\S*"),
    ("HMMA.16816", r"HMMA\.16816\S*"),
    ("LDGSTS", r"LDGSTS\S*"),
    ("LDS.128", r"LDS\.128"),
    ("LDSM", r"LDSM\S*"),
    ("LDS", r"LDS(\.U?\d+)?(?<!\.128)"),
    ("STS", r"STS\S*"),
    ("BAR", r"BAR\S*"),
    ("STL+LDL", r"(STL|LDL)\S*"),
    ("all", r"\S+"),
]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True)


def release(tool):
    return re.search(r"release ([\d.]+), V([\d.]+)", run(tool, "--version").stdout).group(2)


def assembled(ptxas, ptx, architecture, cubin):
    """(registers, spilled bytes) by entry"""
    log = run(ptxas, "-v", "-arch=" + architecture, str(ptx), "-o", str(cubin)).stderr
    pattern = r"entry function '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers"
    return {m[0]: (int(m[3]), int(m[1]) + int(m[2])) for m in re.findall(pattern, log, re.S)}


def opcodes(cuobjdump, cubin):
    """opcodes by function, in order"""
    functions = {}
    for line in run(cuobjdump, "-sass", str(cubin)).stdout.splitlines():
        if match := re.match(r"\s*Function : (\S+)", line):
            current = functions.setdefault(match.group(1), [])
        elif match := re.match(r"\s+/\*[0-9a-f]{4,}\*/\s+(@!?U?P\w+ )?\s*(\S+)", line):
            if match.group(1) != "@!PT ":  # never executed
                current.append(match.group(2).rstrip(";"))
    return functions


def main():
    tools, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    ptxas, cuobjdump = str(tools / "ptxas"), str(tools / "cuobjdump")
    print(f"ptxas {release(ptxas)}, cuobjdump {release(cuobjdump)}\n")
    print("| entry | architecture | registers | spilled bytes | " + " | ".join(title for title, _ in COUNTED) + " | CALL |")
    print("|---|---|" + "---|" * (len(COUNTED) + 3))
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "cubin"
        for ptx in files:
            for architecture in ARCHITECTURES:
                if architecture == "sm_90" and ".s4.s4." in ptx.read_text():
                    continue  # no instruction for it
                entries = assembled(ptxas, ptx, architecture, cubin)
                functions = opcodes(cuobjdump, cubin)
                calls = sum("mma_sub_byte" in name for name in functions)
                for name, (registers, spilled) in sorted(entries.items()):
                    counts = [sum(bool(re.fullmatch(pattern, op)) for op in functions[name]) for _, pattern in COUNTED]
                    cells = [f"`{name}`", architecture, registers, spilled, *counts, calls]
                    print("| " + " | ".join(map(str, cells)) + " |")


main()
