/* A step of an optimizer: gradients clipped and decayed on their way into its rule,
 * tile by tile. */
#include "models/optim/optimizer_internal.h"

#include "autograd/grad.h"

#include <math.h>
#include <string.h>

static bool optimizer_is_inert(const wg_optimizer *o)
{
    return o == NULL || o->tape == NULL;
}

/* ---- What becomes of a gradient on its way into the rule. ------------------------------------ */

/* g <- clamp(factor g, -limit, limit) + decay p, and p <- keep p before that. */
typedef struct optimizer_change {
    double factor, limit, decay, keep;
} optimizer_change;

static bool optimizer_changes(const optimizer_change *c)
{
    return c->factor != 1 || isfinite(c->limit) || c->decay != 0;
}

/* So many elements of parameter, gradient and state stay in the nearest cache from one loop to the
 * next. */
enum { OPTIMIZER_TILE = 512 };

/* Elements of a piece of the work: microseconds, which are worth another thread. */
enum { OPTIMIZER_PIECE = 32 * OPTIMIZER_TILE };

/* The step of one parameter. */
typedef struct optimizer_work {
    const wg_optimizer_rule *rule;
    int64_t size;
    void *p;
    const void *g;
    void *const *state; /* [WG_OPTIMIZER_SLOTS] */
    optimizer_change change;
    double numbers[WG_OPTIMIZER_NUMBERS];
} optimizer_work;

/* The rule is applied tile by tile, so that what is done to the gradient before costs no memory and
 * no second way through it; the gradient itself is never written. */
#define OPTIMIZER_UPDATE(name, real, update)                                                       \
    static void name##_change(int64_t n, const real *restrict p, const real *restrict g,           \
                              real *restrict out, const optimizer_change *c)                       \
    {                                                                                              \
        const real factor = (real)c->factor, limit = (real)c->limit, decay = (real)c->decay;       \
        for (int64_t i = 0; i < n; i++) {                                                          \
            real x = g[i] * factor;                                                                \
            x = x > limit ? limit : x;                                                             \
            x = x < -limit ? -limit : x;                                                           \
            out[i] = x + decay * p[i];                                                             \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void name##_shrink(int64_t n, real *p, real keep)                                       \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            p[i] *= keep;                                                                          \
    }                                                                                              \
                                                                                                   \
    static void name(int64_t piece, int worker, void *context)                                     \
    {                                                                                              \
        const optimizer_work *w = context;                                                         \
        const bool changes = optimizer_changes(&w->change);                                        \
        const int64_t begin = piece * OPTIMIZER_PIECE, rest = w->size - begin;                     \
        const int64_t end = begin + (rest < OPTIMIZER_PIECE ? rest : OPTIMIZER_PIECE);             \
        real tile[OPTIMIZER_TILE], *s[WG_OPTIMIZER_SLOTS];                                         \
        (void)worker;                                                                              \
        for (int64_t at = begin; at < end; at += OPTIMIZER_TILE) {                                 \
            const int64_t n = end - at < OPTIMIZER_TILE ? end - at : OPTIMIZER_TILE;               \
            real *p = (real *)w->p + at;                                                           \
            const real *g = (const real *)w->g + at;                                               \
            for (int k = 0; k < WG_OPTIMIZER_SLOTS; k++)                                           \
                s[k] = w->state[k] != NULL ? (real *)w->state[k] + at : NULL;                      \
            if (changes)                                                                           \
                name##_change(n, p, g, tile, &w->change);                                          \
            if (w->change.keep != 1)                                                               \
                name##_shrink(n, p, (real)w->change.keep);                                         \
            w->rule->update(n, p, changes ? tile : g, s, w->numbers);                              \
        }                                                                                          \
    }

OPTIMIZER_UPDATE(optimizer_update_f32, float, update_f32)
OPTIMIZER_UPDATE(optimizer_update_f64, double, update_f64)

/* Elements do not know of each other, so the tape's pool takes pieces of them. */
static void optimizer_update(wg_optimizer *o, int i, const wg_tensor *g, double factor)
{
    const wg_tensor *p = o->param[i];
    const double rate = o->rate * o->factor[i];
    optimizer_work work = {
        .rule = o->rule,
        .size = p->size,
        .p = wg_edit(o->param[i]),
        .g = g->data,
        .state = o->state + i * WG_OPTIMIZER_SLOTS,
        .change = {.factor = factor,
                   .limit = o->clip_value > 0 ? o->clip_value : HUGE_VAL,
                   .decay = o->decoupled ? 0 : o->decay[i],
                   .keep = o->decoupled ? 1 - rate * o->decay[i] : 1},
    };
    o->rule->prepare(o->options, rate, ++o->count[i], work.numbers);
    wg_pool_run(wg_tape_options_of(o->tape)->pool,
                (p->size + OPTIMIZER_PIECE - 1) / OPTIMIZER_PIECE,
                p->dtype == WG_F32 ? optimizer_update_f32 : optimizer_update_f64, &work);
}

/* ---- The norm of all gradients. -------------------------------------------------------------- */

/* Eight sums side by side, so that one addition need not wait for the one before. */
#define OPTIMIZER_SQUARES(name, real)                                                              \
    static double name(int64_t n, const real *x)                                                   \
    {                                                                                              \
        double sum[8] = {0};                                                                       \
        int64_t i = 0;                                                                             \
        for (; i + 8 <= n; i += 8)                                                                 \
            for (int k = 0; k < 8; k++)                                                            \
                sum[k] += (double)x[i + k] * (double)x[i + k];                                     \
        for (; i < n; i++)                                                                         \
            sum[0] += (double)x[i] * (double)x[i];                                                 \
        return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));  \
    }

OPTIMIZER_SQUARES(optimizer_squares_f32, float)
OPTIMIZER_SQUARES(optimizer_squares_f64, double)

double wg_sum_of_squares(wg_dtype dtype, int64_t n, const void *x)
{
    return dtype == WG_F32 ? optimizer_squares_f32(n, x) : optimizer_squares_f64(n, x);
}

static double optimizer_squares(const wg_tensor *x)
{
    wg_status wrong = wg_is_inert(x) || x->data == NULL ? WG_E_NULL
                      : x->dtype == WG_I64              ? WG_E_DTYPE
                      : wg_is_stale(x)                  ? WG_E_STALE
                                                        : WG_OK;
    if (wrong != WG_OK) {
        wg_fail(x->tape, wrong, "global norm: %s: %s", wg_status_text(wrong), wg_tensor_text(x).s);
        return (double)NAN;
    }
    return wg_sum_of_squares(x->dtype, x->size, x->data);
}

double wg_global_norm(wg_tensor *const xs[], int n)
{
    double sum = 0;
    if (xs == NULL && n > 0)
        return (double)NAN;
    for (int i = 0; i < n; i++)
        if (xs[i] != NULL)
            sum += optimizer_squares(xs[i]);
    return sqrt(sum);
}

/* ---- Stepping. ------------------------------------------------------------------------------- */

/* The gradient of parameter i, or NULL where wg_backward left none. */
static wg_tensor *optimizer_gradient(const wg_optimizer *o, wg_tensor *const grads[], int i)
{
    return grads != NULL ? grads[i] : wg_grad_of(o->param[i]);
}

bool wg_optimizer_gradient_fits(const wg_optimizer *o, int i, const wg_tensor *g)
{
    const wg_tensor *p = o->param[i];
    if (wg_is_inert(g)) {
        wg_fail(o->tape, WG_E_NULL, "%s: gradient %d is NULL or inert", o->rule->name, i);
        return false;
    }
    wg_status wrong = g->tape != p->tape                     ? WG_E_TAPE
                      : !wg_shape_same(&g->shape, &p->shape) ? WG_E_SHAPE
                      : g->dtype != p->dtype                 ? WG_E_DTYPE
                      : g->data == NULL                      ? WG_E_NULL
                      : wg_is_stale(g)                       ? WG_E_STALE
                                                             : WG_OK;
    if (wrong != WG_OK)
        wg_fail(o->tape, wrong, "%s: %s: parameter %s with gradient %s%s", o->rule->name,
                wg_status_text(wrong), wg_tensor_text(p).s, wg_tensor_text(g).s,
                wrong == WG_E_STALE ? " (replay first)" : "");
    return wrong == WG_OK;
}

static uintptr_t optimizer_bytes(const wg_tensor *x)
{
    return (uintptr_t)x->size * wg_dtype_size(x->dtype);
}

/* Would a step write the gradient while it is still wanted? The parameter in whose memory it is;
 * NULL: in none's. Asked at every step, which may be given other gradients, or inputs that were
 * bound anew. */
static const wg_tensor *optimizer_shares_memory(const wg_optimizer *o, const wg_tensor *g)
{
    const uintptr_t at = (uintptr_t)g->data, end = at + optimizer_bytes(g);
    int low = 0, high = o->n;
    while (low < high) { /* the parameters from `high` on begin behind it */
        const int middle = low + (high - low) / 2;
        if ((uintptr_t)o->by_address[middle]->data < end)
            low = middle + 1;
        else
            high = middle;
    }
    while (high > 0 && o->by_address[high - 1]->size == 0)
        high--;
    const wg_tensor *p = high > 0 ? o->by_address[high - 1] : NULL;
    return p != NULL && at < (uintptr_t)p->data + optimizer_bytes(p) ? p : NULL;
}

static bool optimizer_gradients_fit(const wg_optimizer *o, wg_tensor *const grads[])
{
    bool any = false;
    for (int i = 0; i < o->n; i++) {
        const wg_tensor *g = optimizer_gradient(o, grads, i);
        if (g == NULL && grads == NULL)
            continue;
        any = true;
        if (!wg_optimizer_gradient_fits(o, i, g))
            return false;
        const wg_tensor *shared = optimizer_shares_memory(o, g);
        if (shared != NULL) {
            wg_fail(
                o->tape, WG_E_VALUE,
                "%s: gradient %d is in the memory of parameter %s, which a step writes: copy it",
                o->rule->name, i, wg_tensor_text(shared).s);
            return false;
        }
    }
    if (!any)
        wg_fail(o->tape, WG_E_VALUE,
                "%s: no parameter has a gradient: give those of wg_grad, or call wg_backward first "
                "(a rewind takes back what it left)",
                o->rule->name);
    return any;
}

/* What all gradients are multiplied by. */
static bool optimizer_factor(const wg_optimizer *o, wg_tensor *const grads[], double *factor)
{
    double squares = 0;
    *factor = 1;
    if (o->clip_norm <= 0)
        return true;
    for (int i = 0; i < o->n; i++) {
        wg_tensor *g = optimizer_gradient(o, grads, i);
        double norm = wg_global_norm(&g, 1);
        squares += norm * norm;
    }
    *factor = fmin(1, o->clip_norm / (sqrt(squares) + 1e-6));
    if (!isfinite(squares))
        wg_fail(o->tape, WG_E_NOT_FINITE, "%s: the gradients' norm is %g", o->rule->name,
                sqrt(squares));
    return isfinite(squares);
}

wg_status wg_optimizer_step(wg_optimizer *o, wg_tensor *const grads[])
{
    double factor;
    if (optimizer_is_inert(o))
        return WG_E_NULL;
    if (wg_tape_status(o->tape) != WG_OK || !optimizer_gradients_fit(o, grads) ||
        !optimizer_factor(o, grads, &factor))
        return wg_tape_status(o->tape);
    for (int i = 0; i < o->n; i++) {
        const wg_tensor *g = optimizer_gradient(o, grads, i);
        if (g != NULL)
            optimizer_update(o, i, g, factor);
    }
    o->steps++;
    if (o->average != NULL)
        wg_optimizer_average_step(o);
    return WG_OK;
}

/* ---- Reading and setting. -------------------------------------------------------------------- */

int64_t wg_optimizer_steps(const wg_optimizer *o)
{
    return optimizer_is_inert(o) ? 0 : o->steps;
}

double wg_optimizer_rate(const wg_optimizer *o)
{
    return optimizer_is_inert(o) ? (double)NAN : o->rate;
}

/* Is the value finite and not negative? */
static bool optimizer_fits(const wg_optimizer *o, const char *what, double value)
{
    if (isfinite(value) && value >= 0)
        return true;
    wg_fail(o->tape, WG_E_VALUE, "%s: a %s of %g", o->rule->name, what, value);
    return false;
}

wg_status wg_optimizer_set_rate(wg_optimizer *o, double rate)
{
    if (optimizer_is_inert(o))
        return WG_E_NULL;
    if (optimizer_fits(o, "learning rate", rate))
        o->rate = rate;
    return wg_tape_status(o->tape);
}

wg_status wg_optimizer_set_clip(wg_optimizer *o, double norm, double value)
{
    if (optimizer_is_inert(o))
        return WG_E_NULL;
    if (optimizer_fits(o, "clipping norm", norm) && optimizer_fits(o, "clipping value", value)) {
        o->clip_norm = norm;
        o->clip_value = value;
    }
    return wg_tape_status(o->tape);
}

wg_status wg_optimizer_set_param(wg_optimizer *o, const wg_tensor *param, double factor,
                                 double decay)
{
    if (optimizer_is_inert(o))
        return WG_E_NULL;
    int i = 0;
    while (i < o->n && o->param[i] != param)
        i++;
    if (i == o->n)
        wg_fail(o->tape, WG_E_VALUE, "%s: %s is none of its parameters", o->rule->name,
                wg_is_inert(param) ? "a tensor" : wg_tensor_text(param).s);
    else if (optimizer_fits(o, "rate factor", factor) && optimizer_fits(o, "weight decay", decay)) {
        o->factor[i] = factor;
        o->decay[i] = decay;
    }
    return wg_tape_status(o->tape);
}

static wg_state_entry optimizer_numbers(const wg_optimizer *o, int64_t i)
{
    wg_shape scalar = {.ndim = 0}, list = {.ndim = 1, .dim = {o->n}};
    return i == 0   ? (wg_state_entry){o->rate_name, WG_F64, scalar, NULL}
           : i == 1 ? (wg_state_entry){o->steps_name, WG_I64, scalar, NULL}
                    : (wg_state_entry){o->counts_name, WG_I64, list, o->count};
}

bool wg_optimizer_state(wg_optimizer *o, int64_t i, wg_state_entry *entry)
{
    if (optimizer_is_inert(o) || i < 0)
        return false;
    if (i < 3) {
        *entry = optimizer_numbers(o, i);
        if (i < 2)
            entry->data = i == 0 ? (void *)&o->rate : (void *)&o->steps;
        return true;
    }
    i -= 3;
    for (int k = 0; k < o->n * WG_OPTIMIZER_SLOTS; k++)
        if (o->state[k] != NULL && i-- == 0) {
            const wg_tensor *p = o->param[k / WG_OPTIMIZER_SLOTS];
            *entry = (wg_state_entry){o->name[k], p->dtype, p->shape, o->state[k]};
            return true;
        }
    if (o->average == NULL || i > o->n)
        return false;
    *entry = i == o->n ? (wg_state_entry){o->averaged_name, WG_I64, {.ndim = 0}, &o->averaged}
                       : (wg_state_entry){o->average_name[i], o->param[i]->dtype,
                                          o->param[i]->shape, o->average[i]};
    return true;
}
