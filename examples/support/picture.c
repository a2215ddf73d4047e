/* What the worked examples share: command line, files of pictures, pictures of classifiers of the plane. */
#include "picture.h"

#include "options.h"
#include "output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int picture_arguments_read(picture_arguments *a, int argc, char **argv)
{
    bool help = argc == 2 && strcmp(argv[1], "--help") == 0, wrong = false;
    a->svg = NULL;
    options_called(argc > 0 ? argv[0] : NULL);
    for (int i = 1; i < argc && !help; i++) {
        if (strcmp(argv[i], "--svg") == 0 && i + 1 < argc)
            a->svg = argv[++i];
        else if (argv[i][0] != '-' && i == argc - 1)
            a->data = argv[i];
        else
            wrong = true;
    }
    if (!wrong && a->svg != NULL && !picture_is_svg(a->svg))
        return 2;
    if (!help && !wrong)
        return -1;
    fprintf(help ? stdout : stderr, "usage: %s [--svg FILE] [DATA]\nDATA: default %s\n", argv[0],
            a->data);
    return help ? 0 : 2;
}

bool picture_is_svg(const char *path)
{
    size_t n = strlen(path);
    if (n > 4 && strcmp(path + n - 4, ".svg") == 0)
        return true;
    options_complain("%s: pictures are SVG: give a name that ends in .svg", path);
    return false;
}

char *picture_title(const picture_arguments *a, const char *what, char title[PICTURE_TITLE])
{
    const char *slash = strrchr(a->data, '/'), *name = slash != NULL ? slash + 1 : a->data;
    const char *dot = strrchr(name, '.');
    int length = (int)(dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name));
    if (strcmp(a->data, "-") == 0) {
        name = "standard input";
        length = (int)strlen(name);
    }
    snprintf(title, PICTURE_TITLE, "%s: %.*s", what, length < 60 ? length : 60, name);
    return title;
}

int picture_end(wg_tape *t, bool drawn)
{
    wg_status status = wg_tape_status(t);
    if (status != WG_OK)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return status == WG_OK && drawn ? 0 : 1;
}

bool picture_open(svg_plot *p, const char *path)
{
    FILE *file = output_open(path);
    if (file != NULL)
        svg_begin(p, file);
    return file != NULL;
}

bool picture_close(svg_plot *p)
{
    const bool drawn = svg_end(p);
    return output_close(p->file, drawn);
}

/* ---- The lattice: SIDE x SIDE points, x running fastest, from edge to edge of the plot -------------------- */

enum { SIDE = 141, SHADES = 12 };
static const double PALEST =
    0.6; /* share of the colour where the class is certain: points stand out */

static double lattice_at(const svg_axis *a, double i)
{
    return a->from + (a->to - a->from) * i / (SIDE - 1);
}

static svg_axis axis_around(const wg_tensor *X, int column, const char *label)
{
    const double *x = wg_data_f64(X);
    double low = x[column], high = low;
    for (int64_t i = 0; i < wg_dim(X, 0); i++) {
        low = fmin(low, x[2 * i + column]);
        high = fmax(high, x[2 * i + column]);
    }
    double margin = high > low ? 0.06 * (high - low) : 0.5;
    return (svg_axis){.label = label, .from = low - margin, .to = high + margin};
}

svg_plot plane_plot(const wg_tensor *X, const char *title)
{
    return (svg_plot){.title = title,
                      .x = axis_around(X, 0, "x1"),
                      .y = axis_around(X, 1, "x2"),
                      .legend = SVG_BESIDE,
                      .width = 820,
                      .height = 540};
}

wg_tensor *plane_lattice(const svg_plot *p, wg_tape *t)
{
    static const int64_t dim[] = {(int64_t)SIDE * SIDE, 2};
    double *points = wg_tape_take(t, SIDE * SIDE * 2 * sizeof *points);
    for (int i = 0; points != NULL && i < SIDE * SIDE; i++) {
        points[2 * i] = lattice_at(&p->x, i % SIDE);
        points[2 * i + 1] = lattice_at(&p->y, i / SIDE);
    }
    return wg_input(t, "lattice", WG_F64, 2, dim, points);
}

/* ---- Drawing ------------------------------------------------------------------------------------------------ */

/* From -SHADES, the first class for certain, to SHADES, the second; NaN is neither. */
static int shade(double probability)
{
    if (isnan(probability))
        return 0;
    return (int)lround((2 * probability - 1) * SHADES);
}

/* Neighbours of one shade in a row are one cell. */
void plane_heat(svg_plot *p, const wg_tensor *probability)
{
    const double *at = wg_data_f64(probability);
    for (int row = 0; row < SIDE; row++, at += SIDE)
        for (int from = 0, to; from < SIDE; from = to) {
            int of = shade(at[from]);
            for (to = from + 1; to < SIDE && shade(at[to]) == of;)
                to++;
            svg_cell(p, lattice_at(&p->x, from - 0.5), lattice_at(&p->y, row - 0.5),
                     lattice_at(&p->x, to - 0.5), lattice_at(&p->y, row + 0.5), of > 0,
                     PALEST * abs(of) / SHADES);
        }
}

void plane_colour_bar(svg_plot *p)
{
    svg_colour_bar(p, "probability of class 1", PALEST);
}

/* Between lattice points the logarithm of the odds is nearly linear, where the probability jumps. */
static double log_odds(double probability)
{
    return log(fmax(probability, 1e-300)) - log(fmax(1 - probability, 1e-300));
}

/* The piece of the line that lies in one triangle of the lattice: it crosses two sides, or none. */
static void triangle_boundary(svg_plot *p, int colour, const double *at, const int corner[3])
{
    double x[2], y[2];
    int n = 0;
    for (int k = 0; k < 3; k++) {
        int i = corner[k], j = corner[(k + 1) % 3];
        if ((at[i] > 0.5) == (at[j] > 0.5))
            continue;
        double share = log_odds(at[i]) / (log_odds(at[i]) - log_odds(at[j]));
        x[n] = lattice_at(&p->x, i % SIDE + share * (j % SIDE - i % SIDE));
        y[n++] = lattice_at(&p->y, i / SIDE + share * (j / SIDE - i / SIDE));
    }
    if (n == 2)
        svg_line(p, colour, NULL, x, y, 2);
}

void plane_boundary(svg_plot *p, int colour, const char *label, const wg_tensor *probability)
{
    const double *at = wg_data_f64(probability);
    svg_line(p, colour, label, NULL, NULL, 0); /* for the legend */
    for (int row = 0; row + 1 < SIDE; row++)
        for (int column = 0; column + 1 < SIDE; column++) {
            int i = row * SIDE + column;
            triangle_boundary(p, colour, at, (int[]){i, i + 1, i + SIDE});
            triangle_boundary(p, colour, at, (int[]){i + 1, i + SIDE, i + SIDE + 1});
        }
}

/* Point by point, in the rows' order, so that neither class lies on top of the other. */
void plane_points(svg_plot *p, const wg_tensor *X, const wg_tensor *y)
{
    static const char *const labels[] = {"class 0", "class 1"};
    const double *x = wg_data_f64(X);
    for (int class = 0; class < 2; class ++)
        svg_points(p, class, labels[class], NULL, NULL, 0, 3.5);
    for (int64_t i = 0; i < wg_dim(X, 0); i++)
        svg_points(p, wg_at(y, i) > 0.5, NULL, &x[2 * i], &x[2 * i + 1], 1, 3.5);
}
