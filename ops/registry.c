/* registry.c: the list of all built-in ops. */
#include "ops/registry.h"

#include <string.h>

/* Each family's list stands at the end of its file, and ends with NULL. */
extern const wg_op *const wg_ops_arithmetic[],
    *const wg_ops_functions[],
        *const wg_ops_activations[],
            *const wg_ops_compare[],
                *const wg_ops_layout[],
                    *const wg_ops_slice[],
                        *const wg_ops_index[],
                            *const wg_ops_diagonal[],
                                *const wg_ops_cumsum[],
                                    *const wg_ops_reduce[],
                                        *const wg_ops_softmax[],
                                            *const wg_ops_matmul[],
                                                *const wg_ops_bce[], *const wg_ops_cross_entropy[],
                                                                         *const wg_ops_dropout[],
                                                                             *const wg_ops_sparse[];

static const wg_op *const registry_engine[] = {
    &wg_op_parameter, &wg_op_input, &wg_op_constant, &wg_op_abstract, &wg_op_add_n, NULL,
};

static const wg_op *const *const registry_families[] = {
    registry_engine, wg_ops_arithmetic, wg_ops_functions, wg_ops_activations, wg_ops_compare,
    wg_ops_layout,   wg_ops_slice,      wg_ops_index,     wg_ops_diagonal,    wg_ops_cumsum,
    wg_ops_reduce,   wg_ops_softmax,    wg_ops_matmul,    wg_ops_bce,         wg_ops_cross_entropy,
    wg_ops_dropout,  wg_ops_sparse,
};

const wg_op *wg_op_at(int i)
{
    size_t families = sizeof registry_families / sizeof *registry_families;
    for (size_t f = 0; f < families && i >= 0; f++)
        for (const wg_op *const *op = registry_families[f]; *op != NULL; op++)
            if (i-- == 0)
                return *op;
    return NULL;
}

const wg_op *wg_op_find(const char *name)
{
    const wg_op *op = name != NULL ? wg_op_at(0) : NULL;
    for (int i = 1; op != NULL && strcmp(op->name, name) != 0; i++)
        op = wg_op_at(i);
    return op;
}
