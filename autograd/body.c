/* Bodies: tapes that stand for a function, inside the tape whose nodes run them. */
#include "autograd/body_internal.h"

#include "autograd/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- The leaf -------------------------------------------------------------------------------- */

static void body_describe(const wg_tensor *x, char *text, size_t size)
{
    snprintf(text, size, "%" PRId64 " nodes", wg_body_of(x)->size);
}

/* The plan is where the body is, the attributes are its hash. */
const wg_op wg_op_body = {.name = "body",
                          .formula = WG_OP_TEXT("a function, recorded"),
                          .flags = WG_OP_LEAF,
                          .plan_size = sizeof(wg_tape *),
                          .attr_size = sizeof(uint64_t),
                          .describe = body_describe};

const wg_tape *wg_body_of(const wg_tensor *leaf)
{
    return *(wg_tape *const *)leaf->plan;
}

static uint64_t body_hash_node(uint64_t hash, const wg_tensor *x)
{
    hash = wg_hash_bytes(hash, x->op->name, strlen(x->op->name));
    hash = wg_hash_bytes(hash, x->attrs, x->attrs != NULL ? x->op->attr_size : 0);
    hash = wg_hash_word(hash, (uint64_t)x->dtype);
    hash = wg_hash_word(hash, (uint64_t)x->shape.ndim);
    for (int i = 0; i < x->shape.ndim; i++)
        hash = wg_hash_word(hash, (uint64_t)x->shape.dim[i]);
    for (int i = 0; i < x->n_operands; i++)
        hash = wg_hash_word(hash, (uint64_t)x->operand[i]->index);
    const bool constant = x->n_operands == 0 && x->data != NULL && x->dtype != WG_WIDE;
    return constant ? wg_hash_bytes(hash, x->data, (size_t)x->size * wg_dtype_size(x->dtype))
                    : hash;
}

static uint64_t body_hash(const wg_tape *body)
{
    uint64_t hash = WG_HASH_START;
    for (int64_t i = 0; i < body->size; i++)
        hash = body_hash_node(hash, body->node[i]);
    return hash;
}

static wg_tensor *body_leaf(wg_tape *t, wg_tape *body)
{
    const uint64_t hash = body_hash(body);
    wg_tensor *x = wg_node_new(t, &wg_op_body, NULL, 0, &hash);
    if (x == NULL)
        return &t->inert;
    *(wg_tape **)x->plan = body;
    x->dtype = WG_I64;
    x->shape.ndim = 1;
    x->data = x->plan; /* of no elements */
    return wg_node_push(x) ? x : &t->inert;
}

/* ---- Its memory ------------------------------------------------------------------------------ */

/* The owner's memory, by size: nothing is given back before all is. */
static void *body_allocate(size_t size, void *owner)
{
    wg_tape *t = owner;
    char *memory = size <= SIZE_MAX / 8
                       ? wg_arena_take(&t->arena, WG_ALIGNMENT + size, WG_ALIGNMENT)
                       : NULL;
    if (memory == NULL)
        return NULL;
    memcpy(memory, &size, sizeof size);
    return memory + WG_ALIGNMENT;
}

static void *body_reallocate(void *old, size_t size, void *owner)
{
    size_t before = 0;
    char *memory = body_allocate(size, owner);
    if (memory == NULL || old == NULL)
        return memory;
    memcpy(&before, (char *)old - WG_ALIGNMENT, sizeof before);
    memcpy(memory, old, before < size ? before : size);
    return memory;
}

static void body_release(void *memory, void *owner)
{
    (void)memory, (void)owner;
}

/* What a tape of t's is made with: it has no threads, no ranks, and tells t alone of errors. */
static wg_tape_options body_options(const wg_tape *t)
{
    wg_tape_options options = t->options;
    options.on_error = NULL;
    options.pool = NULL;
    options.ranks = NULL;
    options.strict_grad = options.check_finite = false;
    return options;
}

static wg_tape *body_tape(wg_tape *t, const wg_tape_options *options)
{
    wg_tape *body = wg_tape_new(options);
    if (wg_tape_is_real(body)) {
        body->owner = t;
        body->wide = t->wide;
    } else
        wg_fail(t, WG_E_NOMEM, "body: out of memory");
    return body;
}

wg_tape *wg_body_new(wg_tape *t)
{
    const wg_tape_options options = body_options(t);
    return body_tape(t, &options);
}

/* Its scratch is not there: it ends with the making. */
wg_tape *wg_body_within(wg_tape *t)
{
    wg_tape_options options = body_options(t);
    options.allocator = (wg_allocator){body_allocate, body_reallocate, body_release, t};
    wg_tape *body = t->status == WG_OK ? body_tape(t, &options) : NULL;
    if (body == NULL || !wg_tape_is_real(body))
        return NULL;
    wg_arena_init(&body->scratch, &t->options.allocator);
    return body;
}

wg_tensor *wg_body_settle(wg_tape *t, const char *who, wg_tape *body)
{
    wg_arena_clear(&body->scratch);
    if (body->status != WG_OK)
        return wg_fail(t, body->status, "%s%s%s", who != NULL ? who : "", who != NULL ? ": " : "",
                       body->message);
    return body_leaf(t, body);
}

bool wg_body_holds(const wg_tensor *x)
{
    return x->op->holds != NULL && !(x->state & WG_NODE_ABSTRACT) &&
           x->op->holds->size(x->tape, x, false) > 0;
}
