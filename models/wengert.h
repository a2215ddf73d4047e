#ifndef WENGERT_H
#define WENGERT_H

/* The whole of Wengert: #include <wengert.h> and link with -lwengert -lm -lpthread.
 *
 * Macros leave parts of it out, defined (as -DWG_NO_FILES) for the library and for what includes
 * this alike:
 *
 *   WG_NO_FILES       what reads and writes files: CSV, svmlight, IDX, NPY, safetensors, programs
 *                     as C, checkpoints; archives, tables and lists of parameters stay, in memory
 *   WG_NO_CHECK       gradient checks, audits and wide floats (autograd/check/, WG_WIDE)
 *   WG_NO_THREADS     a pool works with the thread that calls it alone
 *   WG_BASELINE_ONLY  the kernels for AVX2 and AVX-512
 *
 * What is left out is not declared; an option that needs it is WG_E_VALUE. */

#include "autograd/status.h" /* first: it refuses compilers and flags that cannot do */

#include "autograd/allocator.h"
#include "autograd/compile/blocks.h"
#include "autograd/compile/c_writer.h"
#include "autograd/compile/program.h"
#include "autograd/derivatives/derivatives.h"
#include "autograd/grad.h"
#include "autograd/hash.h"
#include "autograd/op.h"
#include "autograd/pool.h"
#include "autograd/print/print.h"
#include "autograd/ranks/ranks.h"
#include "autograd/rng.h"
#include "autograd/shape.h"
#include "autograd/tape.h"
#include "autograd/tensor.h"
#include "autograd/wide.h"

#include "ops/constants.h"
#include "ops/cumsum.h"
#include "ops/diagonal.h"
#include "ops/elementwise.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/normalize.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "ops/registry.h"
#include "ops/scan.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/sparse.h"

#include "models/data/batches.h"
#include "models/data/dataset.h"
#include "models/data/encoder.h"
#include "models/data/imputer.h"
#include "models/data/pipeline.h"
#include "models/data/polynomial.h"
#include "models/data/scaler.h"
#include "models/data/split.h"
#include "models/estimator.h"
#include "models/files/archive.h"
#include "models/files/params.h"
#include "models/files/table.h"
#include "models/heads.h"
#include "models/initialize.h"
#include "models/layers.h"
#include "models/linear_model.h"
#include "models/metrics/curves.h"
#include "models/metrics/metrics.h"
#include "models/mlp.h"
#include "models/optim/minimize.h"
#include "models/optim/optimizer.h"
#include "models/optim/record.h"
#include "models/optim/schedule.h"
#include "models/optim/state.h"
#include "models/train/fit.h"
#include "models/train/head.h"
#include "models/version.h"

/* Behind all that they include. */
#ifndef WG_NO_CHECK
#include "autograd/check/audit.h"
#include "autograd/check/function.h"
#include "autograd/check/gradcheck.h"
#endif
#ifndef WG_NO_FILES
#include "autograd/compile/write.h"
#include "models/files/csv.h"
#include "models/files/file.h"
#include "models/files/idx.h"
#include "models/files/npy.h"
#include "models/files/program_c.h"
#include "models/files/svmlight.h"
#endif

#endif
