/* registry.c: the list of all built-in ops. */
#include "ops/registry.h"

#include <string.h>

/* The families in their order: each one's list stands at the end of its file, and ends with
 * NULL. */
#define REGISTRY_FAMILIES(family)                                                                  \
    family(arithmetic) family(functions) family(activations) family(compare) family(layout)        \
        family(broadcast) family(slice) family(pad) family(index) family(gather) family(diagonal)  \
            family(cumsum) family(reduce) family(softmax) family(matmul) family(bce)               \
                family(cross_entropy) family(soft_cross_entropy) family(labels) family(random)     \
                    family(sparse) family(scan)

#define REGISTRY_DECLARE(name) extern const wg_op *const wg_ops_##name[];
#define REGISTRY_ENTRY(name)   wg_ops_##name,

REGISTRY_FAMILIES(REGISTRY_DECLARE)

static const wg_op *const registry_engine[] = {
    &wg_op_parameter, &wg_op_input, &wg_op_constant, &wg_op_abstract,
    &wg_op_streamed,  &wg_op_body,  &wg_op_add_n,    NULL,
};

static const wg_op *const *const registry_families[] = {registry_engine,
                                                        REGISTRY_FAMILIES(REGISTRY_ENTRY)};

#undef REGISTRY_FAMILIES
#undef REGISTRY_DECLARE
#undef REGISTRY_ENTRY

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
