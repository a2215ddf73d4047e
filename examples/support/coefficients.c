/* A linear model's weights by the names of their columns. */
#include "coefficients.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 20, OUTPUTS = 6, WIDTH = 28 };

/* ---- Order --------------------------------------------------------------------------------------------- */

static double largest(const coefficients *c, int64_t column)
{
    double most = 0;
    for (int64_t j = 0; j < c->outputs; j++)
        most = fmax(most, fabs(wg_at(c->W, j * c->columns + column)));
    return most;
}

/* Of the first columns the largest, by selection; the others keep their order. */
static void sort_columns(coefficients *c)
{
    for (int64_t i = 0; i < c->columns; i++)
        c->order[i] = i;
    for (int64_t i = 0; i < c->columns && i < SHOWN; i++) {
        int64_t best = i;
        for (int64_t k = i + 1; k < c->columns; k++)
            if (largest(c, c->order[k]) > largest(c, c->order[best]))
                best = k;
        int64_t column = c->order[best];
        memmove(c->order + i + 1, c->order + i, (size_t)(best - i) * sizeof *c->order);
        c->order[i] = column;
    }
}

coefficients coefficients_of(wg_tape *t, const wg_estimator *e)
{
    const wg_params *params = e->mlp->params;
    coefficients c = {.columns = 0}, none = {.columns = 0};
    if (params->n != 2)
        return none;
    c.W = params->param[0];
    c.b = params->param[1];
    c.outputs = wg_dim(c.W, 0);
    c.columns = wg_dim(c.W, 1);
    c.order = wg_tape_take(t, (size_t)c.columns * sizeof *c.order);
    c.name = wg_pipeline_names(e->pipeline, e->column_names, e->string_names);
    if (c.order == NULL || c.name == NULL)
        return none;
    sort_columns(&c);
    return c;
}

/* ---- Text ---------------------------------------------------------------------------------------------- */

const char *coefficients_output(const coefficients *c, const wg_estimator *e, int64_t j)
{
    return e->class_count == 0 ? e->label_name : e->class_names[c->outputs == 1 ? 1 : j];
}

void coefficients_print(const coefficients *c, const wg_estimator *e)
{
    if (c->columns == 0 || c->outputs > OUTPUTS)
        return;
    printf("\n%-*s", WIDTH,
           e->pipeline->n_steps > 0 ? "coefficients (standardized)" : "coefficients");
    for (int64_t j = 0; j < c->outputs; j++)
        printf("  %10.10s", wg_shown_text(coefficients_output(c, e, j)).s);
    printf("\n%-*s", WIDTH, "(intercept)");
    for (int64_t j = 0; j < c->outputs; j++)
        printf("  %10.6f", wg_at(c->b, j));
    putchar('\n');
    for (int64_t i = 0; i < c->columns && i < SHOWN; i++) {
        printf("%-*.*s", WIDTH, WIDTH, wg_shown_text(c->name[c->order[i]]).s);
        for (int64_t j = 0; j < c->outputs; j++)
            printf("  %10.6f", wg_at(c->W, j * c->columns + c->order[i]));
        putchar('\n');
    }
    if (c->columns > SHOWN)
        printf("... the largest %d of %" PRId64 "\n", SHOWN, c->columns);
}
