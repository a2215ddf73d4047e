/* Random graphs of many ops, with their gradients: for tests that compare ways of computing
 * them. */
#ifndef WGT_OPS_RANDOM_GRAPH_H
#define WGT_OPS_RANDOM_GRAPH_H

#include "autograd/tape.h"

enum { WGT_GRAPH_PARAMS = 3, WGT_GRAPH_OUTPUTS = 7 };

typedef struct wgt_graph {
    wg_tensor *input;                   /* [rows, columns] */
    wg_tensor *param[WGT_GRAPH_PARAMS]; /* [columns, columns], [columns], () */
    wg_tensor
        *output[WGT_GRAPH_OUTPUTS]; /* a loss, its gradients, two values, one of them a view */
    int n_outputs;
} wgt_graph;

/* Records the graph that `seed` stands for: f32 or f64, `ops` ops, `data` [rows, columns] for its
 * input. */
wgt_graph wgt_graph_new(wg_tape *t, uint64_t seed, wg_dtype dtype, int64_t rows, int64_t columns,
                        int ops, const void *data);

/* New values for all parameters, which follow from the key. */
void wgt_graph_write(const wgt_graph *g, uint64_t key);

#endif
