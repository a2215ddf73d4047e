/* Losses that people write, at values of all sizes: on kinks, next to them, tied, saturated,
 * ill-conditioned. Right gradients are accused nowhere, and what stays open is where kinks meet. */
#include "autograd/rng.h"
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "tests/support/suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#if WG_HAS_WIDE

enum { MOST = 6 };

/* A graph in the making: its random numbers, and its parameters. */
typedef struct maker {
    uint64_t seed, rolled;
    wg_tape *t;
    wg_dtype dtype;
    int kind;
    double scale;
    wg_tensor *xs[MOST];
    int n;
} maker;

enum { ORDINARY, SCALED, ON_KINK, NEAR_KINK, SATURATED, MIXED, ILL, TIED, KINDS };

static int roll(maker *m, int sides)
{
    return (int)wg_random_below(m->seed, 0x10ad, m->rolled++, sides);
}
static double uniform(maker *m)
{
    return wg_random_uniform(m->seed, 0x10ad, m->rolled++);
}
static double normal(maker *m)
{
    return wg_random_normal(m->seed, 0x10ad, m->rolled++);
}

static double draw(maker *m)
{
    static const double kink[] = {0, 0, 0, 1, -1, 2, -0.5}, far[] = {30, -45, 100, -120, 700, -800};
    switch (m->kind) {
    case ORDINARY: return normal(m);
    case SCALED: return m->scale * normal(m);
    case ON_KINK: return roll(m, 2) ? kink[roll(m, 7)] : normal(m);
    case NEAR_KINK: return kink[roll(m, 7)] + (roll(m, 2) - 0.5) * pow(10, -1 - 13 * uniform(m));
    case SATURATED: return roll(m, 3) ? far[roll(m, 6)] * (1 + 0.1 * uniform(m)) : normal(m);
    case MIXED: return normal(m) * pow(10, 14 * uniform(m) - 8);
    case ILL: return m->scale * (1 + 1e-7 * normal(m));
    default: return (roll(m, 3) - 1) * 0.5;
    }
}

static wg_tensor *parameter(maker *m, int64_t rows, int64_t columns)
{
    wg_tensor *x = wg_param(m->t, NULL, m->dtype, WG_SHAPE(rows, columns));
    for (int64_t i = 0; i < wg_size(x); i++)
        wg_set_element(x, i, draw(m));
    return m->xs[m->n++] = x;
}

static wg_tensor *data(maker *m, int64_t rows, int64_t columns)
{
    return wg_constant_normal(m->t, m->dtype, WG_SHAPE(rows, columns), 0, 1,
                              m->seed + 31 * m->rolled++);
}

static wg_tensor *activation(maker *m, wg_tensor *x)
{
    wg_tensor *(*const f[])(wg_tensor *) = {wg_relu, wg_relu,    wg_relu, wg_tanh,
                                            wg_gelu, wg_sigmoid, wg_silu, wg_softplus};
    return f[roll(m, 8)](x);
}

static wg_tensor *layer(maker *m, wg_tensor *x, int64_t out)
{
    wg_tensor *z = wg_matmul(x, parameter(m, wg_dim(x, 1), out));
    return roll(m, 2) ? wg_add(z, parameter(m, 1, out)) : z;
}

static wg_tensor *head(maker *m, wg_tensor *z)
{
    wg_tensor *y = data(m, wg_dim(z, 0), wg_dim(z, 1)), *e = wg_sub(z, y);
    switch (roll(m, 6)) {
    case 0: return wg_bce_with_logits(z, wg_greater(y, wg_zeros_like(y)));
    case 1: return wg_cross_entropy(z, wg_argmax_over(y, 1, false));
    case 2: return wg_mse(z, y, WG_MEAN);
    case 3: return wg_huber(z, y, 0.5, WG_SUM);
    case 4: return wg_mean(wg_maximum(wg_scale(e, 0.9), wg_scale(e, -0.1)));
    default: return wg_mean(wg_sub(wg_exp(wg_clamp(z, -50, 50)), wg_mul(z, wg_abs(y))));
    }
}

static wg_tensor *linear(maker *m)
{
    return head(m, layer(m, data(m, 3, 3), 1 + roll(m, 3)));
}
static wg_tensor *two_layers(maker *m)
{
    return head(m, layer(m, activation(m, layer(m, data(m, 3, 2), 3)), 2));
}
static wg_tensor *gates(maker *m)
{
    wg_tensor *x = data(m, 2, 3), *gate = wg_sigmoid(layer(m, x, 2));
    return head(m, wg_mul(gate, wg_tanh(layer(m, x, 2))));
}
static wg_tensor *attention(maker *m)
{
    wg_tensor *q = parameter(m, 2, 3), *k = parameter(m, 3, 3), *v = parameter(m, 3, 2);
    return head(m, wg_matmul(wg_softmax(wg_matmul_t(q, false, k, true), -1), v));
}
static wg_tensor *penalty(maker *m)
{
    wg_tensor *w = parameter(m, 1, 4),
              *fit = wg_square(
                  wg_dot(wg_reshape(w, WG_SHAPE(4)), wg_reshape(data(m, 1, 4), WG_SHAPE(4))));
    return wg_add(fit, roll(m, 2) ? wg_norm(w, 2) : wg_sum(wg_abs(w)));
}
static wg_tensor *information(maker *m)
{
    wg_tensor *x = parameter(m, 2, 3), *y = parameter(m, 2, 3), *p = wg_softmax(x, -1);
    wg_tensor *lp = wg_log_softmax(x, -1), *lq = wg_log_softmax(y, -1);
    return wg_sum(roll(m, 2) ? wg_mul(p, wg_sub(lp, lq)) : wg_xlogy(p, p));
}
static wg_tensor *moments(maker *m)
{
    wg_tensor *x = parameter(m, 2, 4), *c = data(m, 2, 4);
    return wg_sum(roll(m, 2) ? wg_mul(wg_layer_norm(x, NULL, NULL, 1e-5), c)
                             : wg_var_over(x, 1, WG_AXES(1), false));
}
static wg_tensor *choice(maker *m)
{
    wg_tensor *x = parameter(m, 1, 5), *c = data(m, 1, 5);
    switch (roll(m, 4)) {
    case 0: return wg_sum(wg_where(wg_greater(x, wg_zeros_like(x)), wg_square(x), x));
    case 1: return wg_sum(wg_mul(wg_clamp(x, -1, 1), c));
    case 2: return wg_add(wg_amax(x), wg_scale(wg_amin(x), 0.5));
    default: return wg_sum(wg_mul(wg_floor(x), wg_tanh(x)));
    }
}

static wg_tensor *(*const families[])(maker *) = {linear,  two_layers,  gates,   attention,
                                                  penalty, information, moments, choice};
enum { FAMILIES = sizeof families / sizeof *families, GRAPHS = 800, MODES = 5 };

/* Not finite: of no use, and refused rightly. */
static bool is_usable(maker *m, wg_tensor *y)
{
    wg_tensor *g[MOST];
    bool finite = isfinite(wg_item(y)) && wg_grad(y, m->xs, m->n, g) == WG_OK;
    for (int i = 0; i < m->n && finite; i++)
        finite = isfinite(wg_item(wg_sum(wg_abs(g[i]))));
    return finite;
}

static void check(maker *m, wg_tensor *y, int mode, wg_check_report reports[])
{
    const wg_gradcheck_options o = {.precision = mode == 2 ? WG_CHECK_WIDE : WG_CHECK_AUTO,
                                    .directions = mode == 1 ? 2 : 0,
                                    .check.seed = m->seed + 1};
    if (mode < 3) {
        wg_gradcheck(y, m->xs, NULL, m->n, &o, reports);
    } else if (mode == 3) {
        wg_gradcheck_second(y, m->xs, m->n, &o, reports);
    } else {
        wg_check_taylor_report taylor;
        memset(reports, 0, MOST * sizeof *reports);
        reports[0].verdict = wg_gradcheck_taylor(y, m->xs[0], 2, &o.check, &taylor);
    }
}

START_TEST(losses_at_values_of_all_sizes)
{
    size_t checks = 0, open = 0;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        maker m = {.seed = seed, .t = wg_tape_new(NULL)};
        m.dtype = roll(&m, 5) ? WG_F64 : WG_F32;
        m.kind = roll(&m, KINDS);
        m.scale = pow(10, roll(&m, 15) - 8);
        const int family = roll(&m, FAMILIES);
        wg_tensor *y = families[family](&m);
        for (int mode = 0; mode < MODES && is_usable(&m, y); mode++) {
            wg_check_report reports[MOST];
            check(&m, y, mode, reports);
            for (int i = 0; i < m.n; i++) {
                ck_assert_msg(reports[i].verdict != WG_CHECK_FAILED, "graph %d, mode %d: accused",
                              (int)seed, mode);
                ck_assert_msg(reports[i].narrow == NULL, "graph %d, mode %d: %s is narrow",
                              (int)seed, mode, reports[i].narrow);
                open += reports[i].verdict == WG_CHECK_UNRESOLVED;
                checks++;
            }
        }
        ck_assert_int_eq(wg_tape_status(m.t), WG_OK);
        wg_tape_free(m.t);
    }
    printf("right: %zu checks of losses at all sizes, none accused, %zu open\n", checks, open);
    fflush(stdout);
    ck_assert_uint_ge(checks, 7000);
    ck_assert_uint_le(open, WG_WIDE_BITS == 113 ? checks / 200 : checks / 20);
}
END_TEST

#endif

Suite *suite_right(void)
{
    Suite *suite = suite_create("right");
    TCase *tc = tcase_create("losses");
#if WG_HAS_WIDE
    tcase_add_test(tc, losses_at_values_of_all_sizes);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
