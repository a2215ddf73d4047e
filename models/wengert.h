#ifndef WENGERT_H
#define WENGERT_H

/* The whole of Wengert: #include <wengert.h> and link with -lwengert -lm -lpthread. */

#include "autograd/blocks.h"
#include "autograd/check_function.h"
#include "autograd/copy.h"
#include "autograd/derivatives.h"
#include "autograd/difference.h"
#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/graph.h"
#include "autograd/memory.h"
#include "autograd/op.h"
#include "autograd/program.h"
#include "autograd/pool.h"
#include "autograd/rng.h"
#include "autograd/shape.h"
#include "autograd/status.h"
#include "autograd/tape.h"
#include "autograd/tensor.h"

#include "ops/cumsum.h"
#include "ops/diagonal.h"
#include "ops/dropout.h"
#include "ops/elementwise.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/normalise.h"
#include "ops/reduce.h"
#include "ops/registry.h"
#include "ops/slice.h"
#include "ops/softmax.h"

#include "models/batches.h"
#include "models/csv.h"
#include "models/logistic.h"
#include "models/metrics.h"
#include "models/optimizer.h"
#include "models/scaler.h"
#include "models/softmax_regression.h"
#include "models/train_test.h"
#include "models/table.h"

#endif
