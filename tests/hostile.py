#!/usr/bin/env python3
"""hostile.py BUILD: files that claim much more than they hold, or make much of little, each given to the programs of
BUILD.  They are read, trained on or refused with a message that names the file, in memory of at most 64 MB or 40 times
the file, whichever is more, and never end by a signal.  Prints a table."""
import os, string, struct, subprocess, sys, tempfile

build = os.path.abspath(sys.argv[1])
MB = 1 << 20


def npy(header):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


def tensors(header):
    header = header.encode()
    return struct.pack("<Q", len(header)) + header


def rows(n, line):
    return "".join(line(i) for i in range(n)).encode()


DEEP = '{"a":' * 100000
META = ",".join(f'"k{i}":"v"' for i in range(100000))
LETTERS = string.ascii_letters + string.digits


def wide(n, columns, field, label):
    """A CSV of n rows: field(row, column) and label(row)."""
    return (",".join(f"c{k}" for k in range(columns)) + ",y\n" +
            "".join(",".join(field(i, k) for k in range(columns)) + f",{label(i)}\n" for i in range(n))).encode()


def far(classes):
    """Few rows of many classes with one feature, which is far out."""
    return rows(12 * classes, lambda i: f"{i % classes} 130000:{i % 3}\n")


# name, bytes, further arguments; of archives, `predict` is asked, else `train`
FILES = [
    ("one feature, index 10^9.svm", b"1 1000000000:1\n", []),
    ("feature 10,000,000.svm", b"1 10000000:1\n0 1:1\n1 3:1\n0 2:1\n" * 2, []),
    ("feature 130,000 of 10 rows.svm", rows(10, lambda i: f"{i % 2} 130000:{i}\n"), []),
    ("a full row behind short ones.svm", rows(10002, lambda i: f"{i % 2} {i % 999 + 1}:1 {i % 7 + 1001}:2\n")
     + b"1 " + b" ".join(b"%d:1" % k for k in range(1, 20001)) + b"\n", []),
    ("10,000 labels.svm", rows(20000, lambda i: f"{i // 2} 1:{i}\n"), []),
    ("10,000 categories.csv", b"x,y\n" + rows(20000, lambda i: f"c{i // 2},{i % 2}\n"), ["--ignore-unknown"]),
    ("10,000 categories, mlp.csv", b"x,y\n" + rows(20000, lambda i: f"c{i // 2},{i % 2}\n"), ["--ignore-unknown", "--model", "mlp"]),
    ("10,000 labels.csv", b"x,y\n" + rows(20000, lambda i: f"{i % 7},c{i // 2}\n"), ["--label", "y"]),
    ("100,000 columns.csv", (",".join(f"c{i}" for i in range(100000)) + "\n" +
                             ",".join("1" for i in range(100000)) + "\n" +
                             ",".join("0" for i in range(100000)) + "\n").encode(), []),
    ("a line of commas.csv", b"," * MB, []),
    ("a quote without end.csv", b'x,y\n"' + b"a" * MB, []),
    ("200 columns, degree 2.csv", (",".join(f"c{i}" for i in range(200)) + "\n" +
                                    "".join(",".join(str(k % 2) for i in range(200)) + "\n" for k in range(20))).encode(), ["--degree", "2"]),
    ("hidden layers of 10^6.csv", b"x,y\n" + rows(20, lambda i: f"{i},{i % 2}\n"),
     ["--model", "mlp", "--hidden", "1000000,1000000"]),
    ("5 classes, feature 130,000.svm", far(5), []),
    ("20 classes, feature 130,000.svm", far(20), []),
    ("50 classes, feature 130,000.svm", far(50), []),
    ("100 classes, feature 130,000.svm", far(100), []),
    ("feature 130,000, mlp.svm", rows(20, lambda i: f"{i % 2} 130000:{i}\n"), ["--model", "mlp"]),
    ("1024 classes, one_vs_rest.svm", rows(1024, lambda i: f"{i} {130000 - i}:1\n"),
     ["--test", "0", "--model", "one_vs_rest"]),
    ("1000 classes of 100,000 rows.csv", b"x,y\n" + rows(100000, lambda i: f"{i % 7},k{i % 1000}\n"), []),
    ("1000 columns, 1024 classes.csv", wide(1024, 1000, lambda i, k: str(i % 3), lambda i: f"k{i}"), ["--test", "0"]),
    ("60 categories of a letter.csv", wide(16000, 10, lambda i, k: LETTERS[i * (k + 7) // 3 % 60], lambda i: i % 2), []),
    ("60 categories, mlp.csv", wide(16000, 10, lambda i, k: LETTERS[i * (k + 7) // 3 % 60], lambda i: i % 2),
     ["--model", "mlp"]),
    ("9 categories a column.csv", wide(20000, 100, lambda i, k: LETTERS[i * (k + 7) // 3 % 9], lambda i: i % 2), []),
    ("9 categories a column, mlp.csv", wide(20000, 100, lambda i, k: LETTERS[i * (k + 7) // 3 % 9], lambda i: i % 2),
     ["--model", "mlp"]),
    ("80,000 columns, a report.csv", wide(8, 80000, lambda i, k: str((i + k) % 3), lambda i: i % 2),
     ["--report", "REPORT"]),
    ("80,000 columns, checks.csv", wide(8, 80000, lambda i, k: str((i + k) % 3), lambda i: i % 2),
     ["--check-every", "1"]),
    ("sizes of 2^32 - 1.idx", b"\0\0\x08\x08" + b"\xff" * 32, ["--labels", "LABELS"]),
    ("255 dimensions.idx", b"\0\0\x08\xff" + b"\xff" * 1020, ["--labels", "LABELS"]),
    ("shape of 10^18.npy", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000000,), }"),
     ["--labels", "LABELS"]),
    ("header of 2^32 - 1.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", ["--labels", "LABELS"]),
    ("shape of brackets.npy", npy("{'descr': '<f8', 'fortran_order': False, 'shape': " + "(" * 60000),
     ["--labels", "LABELS"]),
    ("header of 2^63.safetensors", struct.pack("<Q", 1 << 63) + b"{}", None),
    ("100,000 metadata.safetensors", tensors('{"__metadata__":{' + META + "}}"), None),
    ("brackets.safetensors", tensors(DEEP), None),
    ("a tensor of 2^60.safetensors",
     tensors('{"a":{"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,9223372036854775808]}}'), None),
    ("an archive within.npz", b"PK\x03\x04" + b"\xff" * 26 + b"PK\x01\x02" + b"\xff" * 100 + b"PK\x05\x06" +
     b"\xff" * 18, []),
]


def peak(command):
    """The exit status, the largest resident set in bytes, what was said."""
    with tempfile.TemporaryFile() as said:
        subprocess.run([measure, "2048", *command], stdout=said, stderr=said, check=True)
        said.seek(0)
        *said, last = said.read().decode(errors="replace").strip().splitlines()
        code, most = last.split()
        return int(code), int(most), "\n".join(said)


bad = 0
with tempfile.TemporaryDirectory() as folder:
    labels, data, measure = (os.path.join(folder, name) for name in ("labels.idx", "data.csv", "peak"))
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peak.c")
    subprocess.run([*os.environ.get("CC", "cc").split(), "-O2", "-o", measure, source], check=True)
    replaced = {"LABELS": labels, "REPORT": os.path.join(folder, "report.html")}
    with open(labels, "wb") as file:
        file.write(b"\0\0\x08\x01\0\0\0\x02\0\1")
    with open(data, "wb") as file:
        file.write(b"x\n1\n")
    for name, content, more in FILES:
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(content)
        command = [build + "/predict", path, data] if more is None else \
            [build + "/train", "--epochs", "2", *(replaced.get(a, a) for a in more), path]
        code, most, said = peak(command)
        first = [line for line in said.splitlines() if line.startswith(("train:", "predict:"))]
        told = first[0].replace(folder + "/", "")[:90] if first else ""
        good = code in (0, 1) and most <= max(64 * MB, 40 * len(content)) and (code == 0 or name in said or more)
        bad += not good
        print(f"{name:32} {len(content):9,} bytes {most / MB:7.1f} MB  exit {code:2}  {told}{'' if good else '  BAD'}")
print(f"hostile: {len(FILES)} files, {bad} that take more than they may, end by a signal, or are not named")
sys.exit(bad > 0)
