/* Charts as SVG: axes with ticks, series, cells, text, a legend, a colour bar. */
#include "svg.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Black last: it is for what must stand out. Yellow is too pale for thin lines and comes late. */
static const unsigned char palette[8][3] = {{0, 114, 178},   {213, 94, 0},   {0, 158, 115},
                                            {204, 121, 167}, {86, 180, 233}, {230, 159, 0},
                                            {240, 228, 66},  {0, 0, 0}};
enum { LINE, POINTS };

/* ---- Positions ------------------------------------------------------------------------------------ */

/* Where a value stands on an axis: 0 at its start, 1 at its end; NaN where it is not on it. */
static double axis_share(const svg_axis *a, double value)
{
    if (!a->log)
        return (value - a->from) / (a->to - a->from);
    return value > 0 ? log(value / a->from) / log(a->to / a->from) : (double)NAN;
}

static double at_x(const svg_plot *p, double x)
{
    return p->left + axis_share(&p->x, x) * (p->right - p->left);
}

static double at_y(const svg_plot *p, double y)
{
    return p->bottom - axis_share(&p->y, y) * (p->bottom - p->top);
}

/* ---- Text and colour ----------------------------------------------------------------------------------- */

static void put_label(const svg_plot *p, double x, double y, const char *style, const char *text)
{
    fprintf(p->file, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
    svg_put_text(p->file, text);
    fputs("</text>\n", p->file);
}

static const char *colour_text(int colour, double share, char text[8])
{
    const unsigned char *c = palette[colour & 7];
    int rgb[3];
    for (int i = 0; i < 3; i++)
        rgb[i] = (int)lround(255 - share * (255 - c[i]));
    snprintf(text, 8, "#%02x%02x%02x", rgb[0] & 255, rgb[1] & 255, rgb[2] & 255);
    return text;
}

/* ---- Ticks --------------------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, so that there are about six to the axis. */
static double linear_step(double width)
{
    double power = pow(10, floor(log10(width / 6))), share = width / 6 / power;
    return power * (share < 1.5 ? 1 : share < 3 ? 2 : share < 7 ? 5 : 10);
}

/* A tick with its number: text, to the power of an exponent, if there is one. */
static void put_tick(const svg_plot *p, bool is_x, double value, const char *text,
                     const char *exponent)
{
    double x = is_x ? at_x(p, value) : p->left, y = is_x ? p->bottom : at_y(p, value);
    fprintf(p->file, "<path d=\"M%.1f %.1f%s%.1f\" stroke=\"#e3e3e3\"/>\n", x, y, is_x ? "V" : "H",
            is_x ? p->top : p->right);
    fprintf(p->file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s", is_x ? x : x - 8,
            is_x ? y + 18 : y + 4, is_x ? "middle" : "end", text);
    if (exponent != NULL)
        fprintf(p->file, "<tspan dy=\"-5\" font-size=\"10\">%s</tspan>", exponent);
    fputs("</text>\n", p->file);
}

/* With a minus as it is printed, not a hyphen; as many decimals as the ticks' step has, unless the number
 * would be long. */
static const char *number_text(double value, double step, char text[40])
{
    double decimals = fmax(0, -floor(log10(step) + 1e-9));
    bool fixed = fabs(value) < 1e6 && decimals <= 6;
    size_t sign = value < 0 ? (size_t)sprintf(text, "\xe2\x88\x92") : 0;
    if (fixed)
        snprintf(text + sign, 40 - sign, "%.*f", (int)decimals, fabs(value));
    else
        snprintf(text + sign, 40 - sign, "%.6g", fabs(value));
    return text;
}

/* What ticks are counted from: 0, or the first of them where six digits would not tell them apart. */
static double tick_origin(const svg_plot *p, bool is_x, double first, double step)
{
    char text[40];
    if (fabs(first) < 1e5 * step)
        return 0;
    snprintf(text, sizeof text, "%s%.17g", first < 0 ? "\xe2\x88\x92" : "+", fabs(first));
    put_label(p, is_x ? p->right : p->left, is_x ? p->bottom + 34 : p->top - 6,
              is_x ? "text-anchor=\"end\"" : "", text);
    return first;
}

static void put_linear_ticks(const svg_plot *p, bool is_x, const svg_axis *a)
{
    double low = fmin(a->from, a->to), width = fabs(a->to - a->from), step = linear_step(width);
    if (a->whole && step < 1)
        step = 1;
    double first = step * ceil(low / step - 1e-9), origin = tick_origin(p, is_x, first, step);
    int n = (int)floor((low + width - first) / step + 1e-9);
    char text[40];
    for (int i = 0; i <= n; i++) {
        double value = first + i * step, shown = value - origin;
        shown = fabs(shown) < 1e-9 * step ? 0 : shown;
        put_tick(p, is_x, value, number_text(shown, step, text), NULL);
    }
}

/* Every power of ten, or every second, third ... where there are many. */
static void put_log_ticks(const svg_plot *p, bool is_x, const svg_axis *a)
{
    int low = (int)ceil(log10(fmin(a->from, a->to)) - 1e-9);
    int high = (int)floor(log10(fmax(a->from, a->to)) + 1e-9), step = 1 + (high - low) / 9;
    char text[40];
    for (int k = low; k <= high; k++)
        if (k % step == 0)
            put_tick(p, is_x, pow(10, k), "10", number_text(k, 1, text));
}

static void put_axis(const svg_plot *p, bool is_x)
{
    const svg_axis *a = is_x ? &p->x : &p->y;
    char style[96];
    if (!a->bare)
        (a->log ? put_log_ticks : put_linear_ticks)(p, is_x, a);
    if (a->label == NULL)
        return;
    /* On a bare axis names stand before 0, and the label belongs to what is behind it. */
    double middle = a->bare ? axis_share(a, (fmax(a->from, 0) + a->to) / 2) : 0.5;
    if (is_x) {
        put_label(p, p->left + middle * (p->right - p->left), p->bottom + (a->bare ? 24 : 42),
                  "text-anchor=\"middle\"", a->label);
        return;
    }
    double x = 20, y = p->bottom - middle * (p->bottom - p->top);
    snprintf(style, sizeof style, "text-anchor=\"middle\" transform=\"rotate(-90 %.1f %.1f)\"", x,
             y);
    put_label(p, x, y, style, a->label);
}

/* ---- The plot ------------------------------------------------------------------------------------------- */

/* An axis without a width (a constant column), or one that doubles cannot divide, becomes one around its
 * middle; one that is not finite, (0, 1). */
static void axis_repair(svg_axis *a)
{
    if (!isfinite(a->from) || !isfinite(a->to) || (a->log && fmin(a->from, a->to) <= 0)) {
        a->from = a->log ? 0.1 : 0;
        a->to = 1;
    }
    double middle = a->from / 2 + a->to / 2, least = 1e3 * DBL_EPSILON * fabs(middle) + DBL_MIN;
    if (a->log && a->from == a->to) {
        a->from /= 10;
        a->to *= 10;
    } else if (!a->log && fabs(a->to - a->from) < least) {
        double half = a->from == a->to ? fmax(fabs(middle) / 20, 0.5) : least;
        double sign = a->from > a->to ? -1 : 1;
        a->from = middle - sign * half;
        a->to = middle + sign * half;
    }
}

void svg_begin(svg_plot *p, FILE *file)
{
    axis_repair(&p->x);
    axis_repair(&p->y);
    p->file = file;
    p->n_series = 0;
    memset(p->drawn, 0, sizeof p->drawn);
    p->width = p->width > 0 ? p->width : 720;
    p->height = p->height > 0 ? p->height : 480;
    p->left = p->y.bare ? 40 : 80;
    p->right = p->width - (p->legend == SVG_BESIDE ? 170 : 25);
    p->top = p->title != NULL ? 48 : 20;
    p->bottom = p->height - 58;
    p->panels = p->panels > 0 ? p->panels : 1;
    p->id = ftell(file); /* no two on a page are the same */
    if (p->panel == 0)
        fprintf(file,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n"
                "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                p->width, p->height * p->panels, p->width, p->height * p->panels);
    fprintf(file,
            "<g transform=\"translate(0 %d)\">\n<clipPath id=\"plot%ld\">"
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/></clipPath>\n",
            p->panel * p->height, p->id, p->left, p->top, p->right - p->left, p->bottom - p->top);
    if (p->title != NULL)
        put_label(p, (p->left + p->right) / 2, 28, "text-anchor=\"middle\" font-size=\"16\"",
                  p->title);
    put_axis(p, true);
    put_axis(p, false);
}

static void note_series(svg_plot *p, int colour, int shape, const char *label)
{
    if (label == NULL || p->n_series == (int)(sizeof p->series / sizeof *p->series))
        return;
    p->series[p->n_series].label = label;
    p->series[p->n_series].colour = colour;
    p->series[p->n_series++].shape = shape;
}

static void put_swatch(const svg_plot *p, double x, double y, int colour, int shape)
{
    char text[8];
    colour_text(colour, 1, text);
    if (shape == LINE)
        fprintf(p->file, "<path d=\"M%.1f %.1fh22\" stroke=\"%s\" stroke-width=\"2.5\"/>\n", x, y,
                text);
    else
        fprintf(p->file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", x + 11, y,
                text);
}

/* Which of SVG_GRID squared fields of the plot a point of a series stands in, at x, y pixels. */
static void note_drawn(svg_plot *p, double x, double y)
{
    const double across = (x - p->left) / (p->right - p->left);
    const double down = (y - p->top) / (p->bottom - p->top);
    if (across >= 0 && across < 1 && down >= 0 && down < 1)
        p->drawn[(int)(down * SVG_GRID)][(int)(across * SVG_GRID)] = true;
}

static void note_segment(svg_plot *p, double x0, double y0, double x1, double y1)
{
    for (int k = 0; k <= 2 * SVG_GRID; k++)
        note_drawn(p, x0 + k * (x1 - x0) / (2 * SVG_GRID), y0 + k * (y1 - y0) / (2 * SVG_GRID));
}

/* A legend's corner, and how many fields with something drawn it hides. */
static int legend_at(const svg_plot *p, svg_place place, double width, double height, double *x,
                     double *y)
{
    const bool left = place == SVG_TOP_LEFT || place == SVG_BOTTOM_LEFT;
    const bool low = place == SVG_BOTTOM_LEFT || place == SVG_BOTTOM_RIGHT;
    const double across = (p->right - p->left) / SVG_GRID, down = (p->bottom - p->top) / SVG_GRID;
    int hidden = 0;
    *x = left ? p->left + 8 : p->right - width - 8;
    *y = low ? p->bottom - height - 8 : p->top + 8;
    for (int j = 0; j < SVG_GRID; j++)
        for (int i = 0; i < SVG_GRID; i++)
            hidden += p->drawn[j][i] && p->left + (i + 1) * across > *x &&
                      p->left + i * across < *x + width && p->top + (j + 1) * down > *y &&
                      p->top + j * down < *y + height;
    return hidden;
}

/* In the corner that was asked for, or else in the one where it hides the least. */
static void put_legend(const svg_plot *p)
{
    double longest = 0, x, y;
    for (int i = 0; i < p->n_series; i++)
        longest = fmax(longest, svg_text_width(p->series[i].label, 13));
    const bool beside = p->legend == SVG_BESIDE;
    const double width = 46 + longest, height = 20 * p->n_series + 8;
    svg_place best = p->legend;
    int least = legend_at(p, best, width, height, &x, &y);
    for (svg_place place = SVG_TOP_RIGHT; place < SVG_BESIDE; place++) {
        const int hidden = legend_at(p, place, width, height, &x, &y);
        best = hidden < least ? place : best;
        least = hidden < least ? hidden : least;
    }
    legend_at(p, best, width, height, &x, &y);
    if (beside) {
        x = p->right + 14;
        y = p->top + 8;
    }
    if (!beside)
        fprintf(p->file,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#fff\" "
                "fill-opacity=\"0.92\" stroke=\"#ccc\"/>\n",
                x, y, width, height);
    for (int i = 0; i < p->n_series; i++) {
        put_swatch(p, x + 8, y + 14 + 20 * i, p->series[i].colour, p->series[i].shape);
        put_label(p, x + 37, y + 18.5 + 20 * i, "", p->series[i].label);
    }
}

bool svg_end(svg_plot *p)
{
    if (!p->x.bare || !p->y.bare)
        fprintf(p->file, "<path d=\"M%.1f %.1fV%.1fH%.1f\" stroke=\"#222\" fill=\"none\"/>\n",
                p->left, p->top, p->bottom, p->right);
    if (p->n_series > 0)
        put_legend(p);
    fputs(p->panel + 1 == p->panels ? "</g>\n</svg>\n" : "</g>\n", p->file);
    return fflush(p->file) == 0 && !ferror(p->file);
}

/* ---- What is drawn ---------------------------------------------------------------------------------------- */

/* A line is broken where a point has no place. */
void svg_line(svg_plot *p, int colour, const char *label, const double *x, const double *y, int n)
{
    char text[8];
    bool drawn = false;
    fprintf(p->file,
            "<path clip-path=\"url(#plot%ld)\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
            "stroke-linejoin=\"round\"%s d=\"",
            p->id, colour_text(colour, 1, text), p->dashed ? " stroke-dasharray=\"7 5\"" : "");
    for (int i = 0; i < n; i++) {
        double px = at_x(p, x[i]), py = at_y(p, y[i]);
        bool has = isfinite(px) && isfinite(py);
        if (has)
            fprintf(p->file, "%c%.1f %.1f", drawn ? 'L' : 'M', px, py);
        if (has && drawn)
            note_segment(p, at_x(p, x[i - 1]), at_y(p, y[i - 1]), px, py);
        drawn = has;
    }
    fputs("\"/>\n", p->file);
    note_series(p, colour, LINE, label);
}

void svg_points(svg_plot *p, int colour, const char *label, const double *x, const double *y, int n,
                double radius)
{
    char text[8];
    fprintf(p->file,
            "<g clip-path=\"url(#plot%ld)\" fill=\"%s\" stroke=\"#fff\" stroke-width=\"0.7\">\n",
            p->id, colour_text(colour, 1, text));
    for (int i = 0; i < n; i++) {
        double px = at_x(p, x[i]), py = at_y(p, y[i]);
        if (isfinite(px) && isfinite(py))
            fprintf(p->file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n", px, py, radius);
        if (isfinite(px) && isfinite(py))
            note_drawn(p, px, py);
    }
    fputs("</g>\n", p->file);
    note_series(p, colour, POINTS, label);
}

/* Edges on whole pixels leave no seam between neighbours. */
void svg_cell(svg_plot *p, double x0, double y0, double x1, double y1, int colour, double share)
{
    char text[8];
    double left = at_x(p, x0), right = at_x(p, x1), top = at_y(p, y1), bottom = at_y(p, y0);
    colour_text(colour, fmin(fmax(share, 0), 1), text);
    fprintf(
        p->file,
        "<rect clip-path=\"url(#plot%ld)\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
        "fill=\"%s\" shape-rendering=\"crispEdges\"/>\n",
        p->id, fmin(left, right), fmin(top, bottom), fabs(right - left), fabs(bottom - top), text);
}

void svg_colour_bar(svg_plot *p, const char *label, double most)
{
    static const char *const ticks[] = {"0.0", "0.5", "1.0"};
    char low[8], high[8], style[96];
    double x = p->right + 22, top = p->top + 24 + 20 * p->n_series, height = p->bottom - top;
    fprintf(
        p->file,
        "<linearGradient id=\"bar%d\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\"><stop stop-color=\"%s\"/>"
        "<stop offset=\"0.5\" stop-color=\"#fff\"/><stop offset=\"1\" stop-color=\"%s\"/>"
        "</linearGradient>\n<rect x=\"%.1f\" y=\"%.1f\" width=\"16\" height=\"%.1f\" "
        "fill=\"url(#bar%d)\" stroke=\"#222\" stroke-width=\"0.6\"/>\n",
        p->panel, colour_text(0, most, low), colour_text(1, most, high), x, top, height, p->panel);
    for (int i = 0; i < 3; i++)
        put_label(p, x + 22, top + height * (1 - 0.5 * i) + 4.5, "", ticks[i]);
    snprintf(style, sizeof style, "text-anchor=\"middle\" transform=\"rotate(-90 %.1f %.1f)\"",
             x + 58, top + height / 2);
    put_label(p, x + 58, top + height / 2, style, label);
}

void svg_text(svg_plot *p, double x, double y, bool light, const char *text)
{
    put_label(p, at_x(p, x), at_y(p, y) + 4.5,
              light ? "text-anchor=\"middle\" fill=\"#fff\"" : "text-anchor=\"middle\"", text);
}

void svg_text_before(svg_plot *p, double x, double y, const char *text)
{
    put_label(p, at_x(p, x), at_y(p, y) + 4.5, "text-anchor=\"end\"", text);
}

void svg_text_up(svg_plot *p, double x, double y, const char *text)
{
    char style[96];
    double left = at_x(p, x) + 4.5, top = at_y(p, y);
    snprintf(style, sizeof style, "text-anchor=\"end\" transform=\"rotate(-90 %.1f %.1f)\"", left,
             top);
    put_label(p, left, top, style, text);
}
