"""The elementwise ops, as the lists ops/*.inc have them."""
import glob
import re


def rows():
    """(kind, name, kinks, domain by operand) of every row."""
    for path in sorted(glob.glob("ops/*.inc")):
        for kind, row in re.findall(r"^((?:UN|BIN|TERN)ARY\w*)\((\w.*?\))$", open(path).read(), re.S | re.M):
            domain = {int(i) - 1: (float(low), float(high))
                      for i, low, high in re.findall(r"DOMAIN(\d)\(([-\d.]+), ([-\d.]+)\)", row)}
            yield kind, row.split(",")[0], "KINKED" in row or kind.endswith("FLAT"), domain


ROWS = list(rows())
KINKED = {name for _, name, kinks, _ in ROWS if kinks}
