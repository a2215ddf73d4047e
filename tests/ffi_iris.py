"""ffi_iris.py LIBRARY DATA: softmax regression on iris from Python, with ctypes and the shared library alone."""
import ctypes
import sys

lib = ctypes.CDLL(sys.argv[1])
for name in ("tape_new", "csv_read", "table_features", "table_classes", "standardize", "param", "linear",
             "cross_entropy", "sgd_new"):
    getattr(lib, "wg_" + name).restype = ctypes.c_void_p
lib.wg_item.restype = lib.wg_accuracy.restype = ctypes.c_double
lib.wg_tape_message.restype = ctypes.c_char_p
tensor = ctypes.c_void_p
F64 = 2

tape = tensor(lib.wg_tape_new(None))
table = tensor(lib.wg_csv_read(tape, sys.argv[2].encode(), None))
X = tensor(lib.wg_standardize(tensor(lib.wg_table_features(table))))
y = tensor(lib.wg_table_classes(table))
W = tensor(lib.wg_param(tape, b"W", F64, 2, (ctypes.c_int64 * 2)(3, 4)))
b = tensor(lib.wg_param(tape, b"b", F64, 1, (ctypes.c_int64 * 1)(3)))
logits = tensor(lib.wg_linear(X, W, b))
loss = tensor(lib.wg_cross_entropy(logits, y))
params, grads = (tensor * 2)(W, b), (tensor * 2)()
lib.wg_grad(loss, params, 2, grads)
sgd = tensor(lib.wg_sgd_new(params, 2, (ctypes.c_double * 6)(1.0)))  # wg_sgd_options: rate, then zeros
for step in range(200):
    lib.wg_optimizer_step(sgd, grads)
    lib.wg_replay(tape)
print(f"loss {lib.wg_item(loss):.4f}", lib.wg_tape_message(tape).decode())
lib.wg_tape_free(tape)
