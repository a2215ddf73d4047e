#ifndef WG_AUTOGRAD_OP_H
#define WG_AUTOGRAD_OP_H

#include "autograd/tape.h"
#include "autograd/wide.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_op wg_op;
typedef struct wg_op_holds wg_op_holds;
typedef struct wg_c_writer wg_c_writer;
typedef struct wg_c_nest wg_c_nest;

/* A node of the tape. Users see it as opaque; an op's functions read it and never write it, except
 * the shape rule, which sets dtype and shape. */
struct wg_tensor {
    wg_tape *tape;
    const wg_op *op;           /* leaves have one, too: arity 0, no forward */
    wg_tensor **operand;       /* [n_operands], all older than this node */
    const void *attrs;         /* op->attr_size bytes */
    void *plan;                /* op->plan_size bytes; NULL: none */
    void *data;                /* [size], row-major; NULL where abstract */
    wg_tensor *grad;           /* parameters: what wg_backward left, or NULL */
    struct wg_grad_node *walk; /* this node's part in a gradient being taken; NULL: none */
    const char *name;          /* NULL: none */
    int64_t index;             /* place on the tape; -1: inert */
    int64_t size;
    int64_t chunks;  /* of the op's work */
    int64_t written; /* leaves: the tape's clock when it was last written */
    int n_operands;
    wg_dtype dtype;
    unsigned state; /* WG_NODE_... */
    wg_shape shape;
};

enum {
    WG_NODE_LIVE = 1u,      /* a parameter or input, or computed from one: replay runs it */
    WG_NODE_STALE = 2u,     /* older than a leaf it was computed from */
    WG_NODE_WRITTEN = 4u,   /* a leaf, or a view of one: written since staleness was last spread */
    WG_NODE_ABSTRACT = 8u,  /* no value: computed from an abstract leaf (wg_abstract) */
    WG_NODE_FOLLOWED = 16u, /* an input: what is read in its place next lies behind it in memory */
    WG_NODE_FOLLOWS = 32u,  /* a leaf that is stale where others are: op->stale looks at them */
};

enum {
    WG_OP_LEAF = 1u,
    WG_OP_ELEMENTWISE = 2u,   /* broadcasts; has `map`; y[i] depends on each operand's [i] alone;
                               * what it needs besides: ops/elementwise.h */
    WG_OP_VIEW = 4u,          /* y is operand 0's memory from byte offset(y) on; no forward */
    WG_OP_ZERO_GRADIENT = 8u, /* declared: the gradient is zero wherever it exists (floor, x < y) */
    WG_OP_KINKS = 16u,        /* not differentiable at some points; the rule has a convention */
    WG_OP_DETACHED = 32u,     /* stops gradients on purpose: checks hold y at the value it has */
    WG_OP_WIDE = 64u,  /* forward, or an elementwise op's map, serves WG_WIDE (autograd/wide.h) */
    WG_OP_ROWS = 128u, /* of matrices: write_c can write a row of y alone */
    WG_OP_OWN_PLAN = 256u, /* forward writes to the plan: each program that runs y has its own */
    WG_OP_RUNS = 512u,     /* the library's own: kernels take runs (autograd/run_internal.h) */
};

/* Part of an op's work: chunks [begin, end) of chunks(y), and memory of workspace(y) bytes. */
typedef struct wg_piece {
    int64_t begin, end;
    void *workspace;
} wg_piece;

/* y[i] = f(x[0][i * stride[0]], x[1][i * stride[1]], ...) for 0 <= i < n; a stride is 1, or 0 for
 * an operand that is one value. Memory of y does not overlap that of x. */
typedef void wg_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                    const void *attrs);

/* A kernel of two ops, or of three: of a node y of `outer`, which has one operand or two, and of
 * those of its operands that `which` names, bit k for operand k, nodes of `inner` that y alone
 * reads. They are never stored, but rounded as if they were. What the kernel reads is their
 * operands, in order, and then y's others; all have y's size, so that no stride is looked at. The
 * attributes are those of the one op that has any, and there are none where it reads four; it reads
 * no more. Neither op has a check. */
typedef struct wg_join {
    const wg_op *inner, *outer; /* NULL: the end of a list */
    unsigned which;
    wg_map *map[WG_DTYPES];
} wg_join;

#define WG_VARIADIC             (-1)
#define WG_FOLD_STATE           128
#define WG_ELEMENTWISE_OPERANDS 8 /* elementwise ops take so many at most */

/* For descriptors. A long text is an array of its own, so that programs that link no such op do not
 * hold it: all literals of an object file are one to the linker. Writing as C is left out together
 * with files. */
#define WG_OP_TEXT(...) ((const char[]){__VA_ARGS__})
#ifdef WG_NO_FILES
#define WG_WRITES_C(function) (0 ? (function) : NULL)
#else
#define WG_WRITES_C(function) (function)
#endif

/* An op: a pure function of operands and attributes with one output; no hidden state. It needs a
 * name, an arity, a shape rule and a forward function (views: none); to be differentiated, vjp or
 * WG_OP_ZERO_GRADIENT; with attributes, attr_size. All else may be left out. What is needed and
 * missing is an error of wg_apply that names it.
 * The formula of an elementwise op is what it is written as C by, and printed by:
 *
 *     "leaky_relu(x; c) = x > 0 ? x : c * x"
 *
 * the op's name; its operands in order, under names of your own; behind a semicolon, where there
 * are any, its attributes, all of them, in the order of their struct, which then holds nothing but
 * doubles; and a C expression in these names, numbers and functions of <math.h>, written as for
 * double: in f32, exp becomes expf and 0.5 becomes 0.5f. K(2) is 2 as a constant of y's type.
 * Operands broadcast; the derivative rule of an op with several gives each its cotangent in the
 * operand's own shape, by wg_sum_to:
 *
 *     return wg_sum_to(wg_mul(dy, wg_div(y->operand[i], y)), y->operand[i]);      of hypot(a, b) */
struct wg_op {
    const char *name;
    const char *formula;  /* elementwise: see above; else mathematics */
    const char *notation; /* for wg_print_formula: "tanh_grad(u, x) = u * (1 - tanh(x) * tanh(x))",
                           * in + - * / and calls, @ for products of matrices; NULL: the formula,
                           * where that is plain arithmetic, else "name(operands)" */
    const char *source;   /* book or paper, equation; NULL for school mathematics */
    int arity;            /* number of operands, or WG_VARIADIC (at least one) */
    unsigned flags;       /* WG_OP_... */
    size_t attr_size;     /* bytes of attributes, compared bit by bit: no padding, or zeroed */
    size_t dtype_attr;    /* 1 + offset in the attributes of a wg_dtype that says y's; 0: none */

    /* Sets y->dtype and y->shape from operands and attributes; where they do not fit, returns
     * wg_op_fail(...), which is false. */
    bool (*shape)(wg_tensor *y);

    /* Fills y->plan, plan_size bytes (0: there is none), with what follows from shapes, dtypes and
     * attributes alone: it is worked out once, when y is recorded, for all functions below.
     * What it takes from the tape may fail: an error on the tape is the op's. */
    size_t plan_size;
    void (*plan)(const wg_tensor *y);

    /* Are the operands' values fit for forward (indices in range)? NULL: all are. */
    bool (*check)(const wg_tensor *y);

    /* Is the last operand what it stands for (targets that are probabilities), where it is an input
     * or a view of one? Asked when y is recorded and before each replay and run of a program, not
     * where differences move an input: forward takes all values. NULL: it always is. */
    bool (*check_input)(const wg_tensor *y);

    /* Computes y->data, or the part of it that is the piece's. */
    void (*forward)(const wg_tensor *y, const wg_piece *piece);

    /* The vector-Jacobian product: records and returns the cotangent of operand i, with its shape
     * and dtype, given y's cotangent dy; NULL where it is zero. Written as ops, linear in dy; dy
     * must not pass through a condition. Asked for only where operand i leads to an x. */
    wg_tensor *(*vjp)(wg_tensor *y, wg_tensor *dy, int i);

    /* Ops whose y is a part of operand 0 (slices, rows taken by index): records and returns the sum
     * of the cotangents that the n nodes ys give their common operand 0, at the cost of the parts,
     * where vjp would make n tensors of the size of the whole. The nodes are of all ops that have
     * this function, in recording order. NULL: the engine adds up what vjp gives. */
    wg_tensor *(*vjp_parts)(wg_tensor *const ys[], wg_tensor *const dys[], int n);

    /* Ops that record the cotangents of several operands together: dx[i], which is NULL before,
     * becomes what vjp(y, dy, i) would give, for every i that is wanted. NULL: vjp is asked. */
    void (*vjp_all)(wg_tensor *y, wg_tensor *dy, const bool wanted[], wg_tensor *dx[]);

    /* How the work may be cut: into how many chunks (NULL: not at all; an elementwise op: by
     * elements), how many of them, at least 1, make a piece (NULL: chosen by the size of the data),
     * and the workspace of a piece in bytes. The result must not depend on how the work is cut. */
    int64_t (*chunks)(const wg_tensor *y);
    int64_t (*piece_chunks)(const wg_tensor *y);
    size_t (*workspace)(const wg_tensor *y);

    /* Ops of which rows along the first axis can be computed alone, so that programs can take
     * several steps through the same few rows (NULL: never; elementwise ops do without): does row r
     * of y need of operand k its row r alone? Chunks are then the rows', in their order. An operand
     * for which that is false is there as a whole; where it is false for all, y has no rows. */
    bool (*by_rows)(const wg_tensor *y, int k);

    /* Elementwise ops: the kernels by the operands' dtype, or NULL. */
    wg_map *map[WG_DTYPES];

    /* Elementwise ops: the kernels of this op and another one; either may list them. NULL: none. */
    const wg_join *joins;

    /* Ops of which y[i] depends on each operand's [i] alone, so that programs can join them into
     * fused groups (NULL: never joined): elements [begin, end) of y to `out`. Their chunks are
     * elements; those that are not elementwise say so. tile[k], where it is not NULL, holds
     * those elements of operand k, which has y's size and need not be in memory; tile may be
     * NULL. */
    void (*part)(const wg_tensor *y, int64_t begin, int64_t end, void *out,
                 const void *const tile[]);

    /* Reductions of floats, so that programs can join those of all elements of operand 0, at least
     * two, to the group that computes it (NULL: never joined): y takes its elements [begin, end),
     * which are at `tile`, and after the last ones y->data is known. The first begin at 0, and all
     * parts but the last are a multiple of 64 long; `state`, of WG_FOLD_STATE bytes, keeps what is
     * known of those before. The bits are those of forward. */
    void (*fold)(const wg_tensor *y, int64_t begin, int64_t end, const void *tile, void *state);

    /* Views: where y starts in operand 0, in bytes. */
    int64_t (*offset)(const wg_tensor *y);

    /* Leaves that someone else writes, as a program its outputs: is x older than what its value was
     * computed from? NULL: never. */
    bool (*stale)(const wg_tensor *x);

    /* Ops that run a body: how a check holds what is discrete or detached there
     * (autograd/body_internal.h). NULL: nothing is. */
    const wg_op_holds *holds;

    /* For printed tapes and graphs: writes what attributes say and y's shape does not, "axis 1", to
     * text, which is "" and has room for size bytes. NULL: nothing. */
    void (*describe)(const wg_tensor *y, char *text, size_t size);

    /* How y is computed in C that needs no library (wg_program_write_c): writes the statements with
     * what autograd/compile/c_writer.h has; with WG_OP_ROWS, only those for a row of y, where `row`
     * is not NULL: its array 0 is the row's number, and y's elements are numbered from the row's
     * first. NULL: elementwise ops are written as their formula, views need nothing, and a program
     * with any other op cannot be written. */
    void (*write_c)(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);

    /* Where tests and checkers draw the values of operands 0, 1, 2 from; both 0, as for all further
     * operands: (-2, 2). */
    struct {
        double low, high;
    } domain[3];
};

/* wg_apply: record an op on n operands, with a copy of op->attr_size bytes of attributes, and
 * compute its value. This is how built-in ops are recorded, and how a user's own op is: there is no
 * registration. Never NULL. Errors, on the first tape that an operand belongs to: WG_E_NULL,
 * WG_E_TAPE (operands of two tapes), WG_E_STALE (an operand is out of date: replay first),
 * WG_E_NOMEM, and what the op's own rules find. */
wg_tensor *wg_apply(const wg_op *op, wg_tensor *const operands[], int n, const void *attrs);

/* wg_abstract: a leaf that has a shape and no value, and neither has what is recorded on it. It
 * stands for something that only derivatives are taken of: the JVP is the VJP of a VJP with respect
 * to such a cotangent, which must never be computed with. */
wg_tensor *wg_abstract(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim);

/* wg_fail: record an error on the tape and return its inert tensor. The first error stays until the
 * tape is rewound. Every error of the library passes through here: a breakpoint shows the
 * caller. */
wg_tensor *wg_fail(wg_tape *t, wg_status status, const char *format, ...) WG_PRINTF(3, 4);

/* wg_op_fail: for an op's shape rule or check: records "matmul: inner sizes differ: X (64, 784) x w
 * (785, 10)" from the op's name (and a leaf's own), the words given, and the operands. Always
 * false. */
bool wg_op_fail(const wg_tensor *y, wg_status status, const char *format, ...) WG_PRINTF(3, 4);

/* wg_dtype_asked: for builders that are given a dtype: is it one that tensors of this tape can
 * have? The default becomes f64. Where it is not, WG_E_DTYPE in the name of `who`. */
bool wg_dtype_asked(wg_tape *t, const char *who, wg_dtype *dtype);

/* wg_is_inert: is x NULL or the tensor that a failed builder returned? That stands nowhere on its
 * tape. */
static inline bool wg_is_inert(const wg_tensor *x)
{
    return x == NULL || x->index < 0;
}

/* wg_tensor_text: "X (64, 784)", or "mul#12 (64, 10)" where x has no name, for a message:
 * wg_fail(t, WG_E_SHAPE, "a column wanted: %s", wg_tensor_text(x).s). */
typedef struct wg_text {
    char s[WG_SHAPE_TEXT + 296];
} wg_text;
wg_text wg_tensor_text(const wg_tensor *x);

/* wg_shown_text: a text of whatever origin, a name in a file, say, as a terminal may show it: of
 * one longer than 60 bytes the middle is "...", and "?" stands for control characters. NULL is
 * "NULL". */
wg_text wg_shown_text(const char *text);

/* wg_number_text: a number of f64, or of f32, with as few digits, from 15 (6) on, as give it back
 * when they are read as that dtype, and a point in every locale; "nan" has no sign. */
wg_text wg_number_text(double value, wg_dtype dtype);

/* wg_element: element i of x as a double; a wide one rounded. wg_at checks, this does not. */
static inline double wg_element(const wg_tensor *x, int64_t i)
{
#if WG_HAS_WIDE
    if (x->dtype == WG_WIDE)
        return (double)((const wg_wide *)x->data)[i];
#endif
    return x->dtype == WG_F32   ? (double)((const float *)x->data)[i]
           : x->dtype == WG_F64 ? ((const double *)x->data)[i]
                                : (double)((const int64_t *)x->data)[i];
}

/* wg_set_element: x[i] = value, rounded to its dtype; what wg_element reads, for leaves
 * and rows that the caller has memory of. */
static inline void wg_set_element(const wg_tensor *x, int64_t i, double value)
{
    switch (x->dtype) {
    case WG_F32: ((float *)x->data)[i] = (float)value; break;
    case WG_F64: ((double *)x->data)[i] = value; break;
    case WG_I64: ((int64_t *)x->data)[i] = (int64_t)value; break;
#if WG_HAS_WIDE
    case WG_WIDE: ((wg_wide *)x->data)[i] = (wg_wide)value; break;
#endif
    default: break;
    }
}

/* wg_is_streamed: is x a leaf of rows that are read (wg_streamed)? wg_row_bytes: of one row. */
bool wg_is_streamed(const wg_tensor *x);
size_t wg_row_bytes(const wg_tensor *x);

/* wg_rows_at: n rows of x from row `first` on: where x holds them, or, of a streamed x, in room, to
 * which they are read. NULL, and WG_E_IO on t, where they cannot be read.
 * wg_rows_piece: x with these rows alone, on no tape; errors are on x's, data is then NULL.
 * wg_rows_room: such room, from wg_temporary; of no size for an x that holds its rows. */
const void *wg_rows_at(wg_tape *t, const wg_tensor *x, int64_t first, int64_t n, void *room);
wg_tensor wg_rows_piece(const wg_tensor *x, int64_t first, int64_t n, void *room);
void *wg_rows_room(const wg_tensor *x, int64_t n);

/* wg_streamed_take: rows of a streamed x, i64 [m], a constant, as a stream. WG_E_INDEX. */
wg_tensor *wg_streamed_take(const wg_tensor *x, const wg_tensor *rows);

/* The engine's own ops: the leaves, and the sum of the cotangents that meet at a node. */
extern const wg_op wg_op_parameter, wg_op_input, wg_op_constant, wg_op_abstract, wg_op_streamed,
    wg_op_body, wg_op_add_n;

/* wg_add_n: x[0] + x[1] + ... of n tensors of one shape and dtype (f32 or f64), in this order,
 * compensated so that the error does not grow with n. n = 1 returns x[0]. */
wg_tensor *wg_add_n(wg_tensor *const x[], int n);

#ifdef __cplusplus
}
#endif
#endif
