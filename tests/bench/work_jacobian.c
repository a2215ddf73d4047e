/* work_jacobian.c: Jacobians as programs, by columns or by rows. The models are those of Srajer,
 * Kukelova, Fitzgibbon 2018, "A benchmark of selected algorithmic differentiation tools": a hand
 * whose bones move a mesh (Taylor, Stebbing et al. 2014, "User-specific hand modeling from monocular
 * depth sequences"), and bundle adjustment. */
#include "models/wengert.h"
#include "tests/bench/bench.h"

#include <stdio.h>

/* ---- A function, its Jacobian and their program ---------------------------------------------- */

enum { ROWS = 2, MOST = 26 };

/* Records y, in a few rows, and returns how many. */
typedef int jacobian_function(wg_tape *t, wg_tensor *x, wg_tensor *y[]);

static void jacobian_run(void *context)
{
    wg_program_run(context);
}

static void jacobian_measure_program(const char *name, wg_tensor *const output[], int n)
{
    char comment[96];
    wg_program *p = wg_compile(output, n, NULL);
    snprintf(comment, sizeof comment, "%lld steps, %.3g MB", (long long)wg_program_steps(p),
             1e-6 * (double)wg_program_memory(p));
    bench_measure(&(bench_task){
        .name = name, .unit = "us", .step = jacobian_run, .context = p, .comment = comment});
}

/* All columns of y[0], one a number of x [n]. */
static wg_status columns_of(wg_tape *t, wg_tensor *const y[], int rows, wg_tensor *x,
                            wg_tensor *column[])
{
    (void)rows;
    wg_tensor *unit[MOST];
    const int n = (int)wg_size(x);
    for (int j = 0; j < n; j++) {
        double direction[MOST] = {0};
        direction[j] = 1;
        unit[j] = wg_constant(t, WG_F64, WG_SHAPE(n), direction);
    }
    return wg_jvp_many(y[0], &x, 1, unit, n, column);
}

/* Where element i of m rows [n] depends on x [k, i] alone: the blocks [m, k], one a number i, as m
 * gradients [k, n]. */
static wg_status blocks_of(wg_tape *t, wg_tensor *const y[], int rows, wg_tensor *x,
                           wg_tensor *gradient[])
{
    for (int i = 0; i < rows; i++)
        wg_grad(wg_sum(y[i]), &x, 1, &gradient[i]);
    return wg_tape_status(t);
}

/* y = f(x) alone, and with the Jacobian in n parts. */
static void jacobian_measure(const char *name, jacobian_function *f, int ndim, const int64_t *dim,
                             wg_status (*parts)(wg_tape *, wg_tensor *const[], int, wg_tensor *,
                                                wg_tensor *[]),
                             int n)
{
    if (!bench_wanted(name))
        return;
    char value[64];
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, ndim, dim), *output[ROWS + MOST];
    wg_fill_normal(x, 0, 0.5, 1);
    const int rows = f(t, x, output);
    parts(t, output, rows, x, output + rows);
    snprintf(value, sizeof value, "%s_value", name);
    jacobian_measure_program(value, output, rows);
    jacobian_measure_program(name, output, rows + n);
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "%s: %s\n", name, wg_tape_message(t));
    wg_tape_free(t);
}

static wg_tensor *jacobian_data(wg_tape *t, int ndim, const int64_t *dim, uint64_t key)
{
    int64_t size = 1;
    for (int i = 0; i < ndim; i++)
        size *= dim[i];
    double *data = bench_normal_f64(size, key);
    wg_tensor *x = wg_constant(t, WG_F64, ndim, dim, data);
    bench_release(data);
    return x;
}

/* ---- A hand: 300 coordinates of a mesh, 26 numbers of a pose ----------------------------------- */

enum { FINGERS = 5, JOINTS = 3, BONES = 1 + FINGERS * JOINTS, VERTICES = 100, POSE = 26 };

/* Rotations [n, 3, 3] about the first axis by a [n], or, `side`, about the third. */
static wg_tensor *hand_turn(wg_tensor *a, bool side)
{
    const int64_t n = wg_dim(a, 0);
    wg_tensor *c = wg_cos(a), *s = wg_sin(a), *zero = wg_zeros_like(a), *one = wg_ones_like(a);
    wg_tensor *bend[] = {one, zero, zero, zero, c, wg_neg(s), zero, s, c};
    wg_tensor *swing[] = {c, wg_neg(s), zero, s, c, zero, zero, zero, one};
    return wg_reshape(wg_stack(side ? swing : bend, 9, 1), WG_SHAPE(n, 3, 3));
}

/* The pose: three angles and three coordinates of the wrist, then four angles of each finger: one to
 * the side, and one of each joint. Vertices are where the bones, by their weights, take them. */
static int hand(wg_tape *t, wg_tensor *p, wg_tensor *y[])
{
    wg_tensor *turns[1 + JOINTS], *places[1 + JOINTS];
    wg_tensor *angle = wg_reshape(wg_slice(p, 0, 6, POSE), WG_SHAPE(4, FINGERS));
    wg_tensor *R = wg_matmul(
        wg_matmul(hand_turn(wg_slice(p, 0, 0, 1), false), hand_turn(wg_slice(p, 0, 1, 2), true)),
        hand_turn(wg_slice(p, 0, 2, 3), false)); /* [1, 3, 3] */
    wg_tensor *at = wg_reshape(wg_slice(p, 0, 3, 6), WG_SHAPE(1, 3, 1));
    turns[0] = R, places[0] = at;
    for (int j = 0; j < JOINTS; j++) {
        wg_tensor *bone = jacobian_data(t, 3, (int64_t[]){FINGERS, 3, 1}, 20 + (uint64_t)j);
        wg_tensor *bend = wg_reshape(wg_slice(angle, 0, j, j + 1), WG_SHAPE(FINGERS));
        at = wg_add(at, wg_matmul(R, bone));
        R = wg_matmul(R, hand_turn(bend, false));
        if (j == 0)
            R = wg_matmul(R,
                          hand_turn(wg_reshape(wg_slice(angle, 0, 3, 4), WG_SHAPE(FINGERS)), true));
        turns[j + 1] = R, places[j + 1] = at;
    }
    wg_tensor *turn = wg_concat(turns, 1 + JOINTS, 0), *place = wg_concat(places, 1 + JOINTS, 0);
    wg_tensor *mesh = jacobian_data(t, 3, (int64_t[]){BONES, 3, VERTICES}, 30);
    wg_tensor *weight = wg_softmax(jacobian_data(t, 3, (int64_t[]){BONES, 1, VERTICES}, 31), 0);
    wg_tensor *moved = wg_add(wg_matmul(turn, mesh), place); /* [bones, 3, vertices] */
    y[0] = wg_sum_over(wg_mul(weight, moved), WG_AXES(0), false);
    return 1;
}

/* ---- Cameras: where each of 30,000 sees its point -------------------------------------------- */

enum { CAMERAS = 30000, CAMERA = 11 };

static wg_tensor *camera_row(wg_tensor *x, int i)
{
    return wg_reshape(wg_slice(x, 0, i, i + 1), WG_SHAPE(CAMERAS));
}

static wg_tensor *camera_dot(wg_tensor *const a[], wg_tensor *const b[])
{
    return wg_add(wg_add(wg_mul(a[0], b[0]), wg_mul(a[1], b[1])), wg_mul(a[2], b[2]));
}

/* x [11, n]: rotation, center, focal length, principal point and two coefficients of radial distortion. */
static int camera(wg_tape *t, wg_tensor *x, wg_tensor *y[])
{
    wg_tensor *point = wg_shift(jacobian_data(t, 2, (int64_t[]){3, CAMERAS}, 40), 5);
    wg_tensor *r[3], *d[3], *axis[3], *seen[3];
    for (int i = 0; i < 3; i++) {
        r[i] = camera_row(x, i);
        d[i] = wg_sub(camera_row(point, i), camera_row(x, 3 + i));
    }
    wg_tensor *angle = wg_sqrt(camera_dot(r, r)), *c = wg_cos(angle), *s = wg_sin(angle);
    for (int i = 0; i < 3; i++)
        axis[i] = wg_div(r[i], angle);
    wg_tensor *along = wg_mul(camera_dot(axis, d), wg_affine(c, -1, 1));
    for (int i = 0; i < 3; i++) { /* Rodrigues */
        const int j = (i + 1) % 3, k = (i + 2) % 3;
        wg_tensor *cross = wg_sub(wg_mul(axis[j], d[k]), wg_mul(axis[k], d[j]));
        seen[i] = wg_add(wg_add(wg_mul(d[i], c), wg_mul(cross, s)), wg_mul(axis[i], along));
    }
    wg_tensor *u = wg_div(seen[0], seen[2]), *v = wg_div(seen[1], seen[2]);
    wg_tensor *q = wg_add(wg_square(u), wg_square(v));
    wg_tensor *bent = wg_shift(
        wg_add(wg_mul(camera_row(x, 9), q), wg_mul(camera_row(x, 10), wg_square(q))), 1);
    wg_tensor *gain = wg_mul(camera_row(x, 6), bent);
    y[0] = wg_add(wg_mul(gain, u), camera_row(x, 7));
    y[1] = wg_add(wg_mul(gain, v), camera_row(x, 8));
    return ROWS;
}

void bench_jacobian(void)
{
    jacobian_measure("hand_300x26", hand, WG_SHAPE(POSE), columns_of, POSE);
    jacobian_measure("cameras_2x11_30000", camera, WG_SHAPE(CAMERA, CAMERAS), blocks_of, 2);
}
