/* Why one never computes log(0): the naive logistic loss beside the fused one, at logits from -800 to 800, and what the
 * audit says of a naive loss, softmax, variance and norm.
 *
 *     $ build/09_audit
 *          z   naive loss   right digits   fused loss   right digits
 *       -800          inf            0.0          800           15.9
 *        -40           40           15.9           40           15.9
 *          0     0.693147           15.9     0.693147           15.9
 *         20  2.06115e-09            7.4  2.06115e-09           15.9
 *         40           -0            0.0  4.24835e-18           15.8
 *        800           -0           15.9            0           15.9
 *     ...
 *         log of a sigmoid: use wg_log_sigmoid(z), or wg_bce_with_logits(z, t)
 *     ...
 *         overflows: exp over a sum of exp: use wg_softmax(z)
 *     ...
 *         mean of squares - square of the mean: use the mean of (x - mean)^2
 *     ...
 *         overflows: root of a sum of squares: use scale by the largest, or wg_hypot(a, b)
 */
#include <stdio.h>
#include <wengert.h>

static wg_tensor *vector(wg_tape *t, int n, const double *values)
{
    return wg_constant(t, WG_F64, WG_SHAPE(n), values);
}

static wg_tensor *naive_loss(wg_tensor *z)
{
    return wg_neg(wg_log(wg_sigmoid(z)));
}

/* The digits that are right in y. */
static double digits(wg_tensor *y)
{
    wg_audit_row rows[16];
    const size_t count = wg_audit(&y, 1, rows, 16, NULL);
    for (size_t i = 0; i < count; i++)
        if (rows[i].node == y)
            return rows[i].digits;
    return 0;
}

static void compare_losses(wg_tape *t)
{
    static const double at[] = {-800, -40, 0, 20, 40, 800};
    printf("     z   naive loss   right digits   fused loss   right digits\n");
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        wg_tensor *z = vector(t, 1, &at[i]), *one = wg_ones_like(z);
        wg_tensor *naive = naive_loss(z), *fused = wg_bce_with_logits(z, one);
        printf("%6g %12.6g %14.1f %12.6g %14.1f\n", at[i], wg_item(naive), digits(naive),
               wg_item(fused), digits(fused));
    }
}

int main(void)
{
    wg_tape *t = wg_tape_new(NULL);
    compare_losses(t);

    wg_tensor *z = vector(t, 3, (const double[]){-1, 30, 800});
    wg_tensor *x = vector(t, 3, (const double[]){1e8, 1e8 + 1, 1e8 + 2});
    wg_tensor *e = wg_exp(z), *m = wg_mean(x);
    wg_tensor *loss = wg_mean(naive_loss(vector(t, 3, (const double[]){25, 30, 40}))),
              *softmax = wg_div(e, wg_sum(e));
    wg_tensor *variance = wg_sub(wg_mean(wg_square(x)), wg_square(m));
    wg_tensor *norm = wg_sqrt(wg_sum(wg_square(wg_scale(x, 1e150))));

    printf("\nlogistic loss\n");
    wg_audit_print(stdout, &loss, 1);
    printf("\nsoftmax\n");
    wg_audit_print(stdout, &softmax, 1);
    printf("\nvariance\n");
    wg_audit_print(stdout, &variance, 1);
    printf("\nnorm\n");
    wg_audit_print(stdout, &norm, 1);

    const bool ok = wg_tape_status(t) == WG_OK;
    wg_tape_free(t);
    return ok ? 0 : 1;
}
