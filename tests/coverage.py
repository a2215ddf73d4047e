#!/usr/bin/env python3
"""coverage.py FILE: what gcovr counted (its --json), judged: at least 98.5 % of the lines and 90 % of the branches, or it
fails. Here, and only here, it is said what is not counted and why; all other lines that no test reaches are listed."""
import json, re, sys

# Branches of these are not counted: a body is compiled for each type, instruction set and constant argument, and gcov
# counts each copy; a condition on a constant has one outcome in each of them.
BODIES = re.compile(r"\.inc$|ops/kernels/map_fast\.c$|ops/compare\.c$")

# Lines that no test on one machine can reach: file, source, why.
NOT_COUNTED = [
    (r"autograd/cpu\.c", r"return (false|WG_ISA_)|wg_cpu_has\(WG_ISA_AVX2\)", "another processor's choice"),
    (r"models/files/elements\.c", r"bits|narrow|WG_F32\)|used == sizeof|k < size; k\+\+|put\(w, chunk|used = 0", "big-endian order"),
    (r".*", r"no (memory for the C )?locale", "newlocale fails"),
    (r".*", r"^\s*default: break;", "an enum has no other value"),
    (r".*", r"ENAMETOOLONG|no name for a temporary file", "a path beyond PATH_MAX, 100 names in use"),
    (r".*", r"= INT64_MAX;|is too long|out of room", "sizes that no memory holds"),
]

with open(sys.argv[1]) as file:
    files = json.load(file)["files"]
lines = hit = branches = taken = 0
why_not = {}
for entry in files:
    name = entry["file"]
    with open(name) as file:
        source = file.read().split("\n")
    missed = []
    for line in entry["lines"]:
        if line.get("gcovr/noncode"):
            continue
        text = source[line["line_number"] - 1]
        if not BODIES.search(name):
            branches += len(line["branches"])
            taken += sum(b["count"] > 0 for b in line["branches"])
        if line["count"] == 0:
            why = [w for f, s, w in NOT_COUNTED if re.fullmatch(f, name) and re.search(s, text)]
            if why:
                why_not[why[0]] = why_not.get(why[0], 0) + 1
                continue
            missed.append((line["line_number"], text.strip()))
        lines += 1
        hit += line["count"] > 0
    for number, text in missed:
        print(f"{name}:{number}: {text[:90]}")
for why, count in why_not.items():
    print(f"coverage: {count} lines not counted: {why}")
by_line, by_branch = 100 * hit / lines, 100 * taken / branches
print(f"coverage: {hit} of {lines} lines, {by_line:.1f} %; {taken} of {branches} branches, {by_branch:.1f} %")
sys.exit(by_line < 98.5 or by_branch < 90)
