"""Decodes a safetensors file from the format's description alone, and prints what is in it, sorted."""
import json
import struct
import sys

TYPES = {"F32": ("f", 4), "F64": ("d", 8), "I64": ("q", 8)}

data = open(sys.argv[1], "rb").read()
(length,) = struct.unpack("<Q", data[:8])
assert length % 8 == 0 and data[8:9] == b"{", "the header is aligned and begins with {"
header = json.loads(data[8 : 8 + length].decode("utf-8"))
rest = data[8 + length :]
for key, value in sorted(header.pop("__metadata__", {}).items()):
    print("text", key, "=", value)
end = 0
for name, info in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    letter, size = TYPES[info["dtype"]]
    begin, stop = info["data_offsets"]
    assert begin == end and begin % size == 0, "tensors are aligned and leave no gaps"
    values = struct.unpack("<%d%s" % ((stop - begin) // size, letter), rest[begin:stop])
    print(name, info["dtype"], tuple(info["shape"]), *("%.17g" % v for v in values))
    end = stop
assert end == len(rest), "nothing stands behind the tensors"
