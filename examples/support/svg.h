#ifndef EXAMPLES_SVG_H
#define EXAMPLES_SVG_H

#include <stdbool.h>
#include <stdio.h>

/* Charts as SVG files: one plot with two axes, linear or logarithmic.
 *
 *     svg_plot p = {.title = "Loss", .x = {"step", 0, 100}, .y = {"loss", 1e-3, 1, .log = true}};
 *     svg_begin(&p, file);
 *     svg_line(&p, 0, "training", steps, losses, n);
 *     svg_end(&p);
 *
 * or several of them, one under another, in one file: each begun and ended in turn, with .panels the
 * same and .panel = 0, 1, ...
 *
 * Series have the colours 0 to 7 of a palette that colour-blind readers can tell apart (Okabe and Ito
 * 2008), and a legend if they have labels. Points outside the axes are clipped; what is not finite, or
 * not positive on a logarithmic axis, is left out. An axis without a width gets one. Ticks that six
 * digits do not tell apart are counted from an origin that is written beside the axis. Text is UTF-8,
 * escaped; what is none, or no character of XML, becomes question marks. */
typedef struct svg_axis {
    const char *label;
    double from, to; /* from > to runs backwards; both > 0 where logarithmic */
    bool log;
    bool whole; /* ticks at whole numbers alone: epochs */
    /* no ticks or grid, as for a matrix with names of its own, which starts at 0; the names stand
     * before that */
    bool bare;
} svg_axis;

typedef enum svg_place {
    SVG_TOP_RIGHT, /* default */
    SVG_TOP_LEFT,
    SVG_BOTTOM_LEFT,
    SVG_BOTTOM_RIGHT,
    SVG_BESIDE
} svg_place;

enum { SVG_GRID = 24 };

typedef struct svg_plot {
    const char *title;
    svg_axis x, y;
    int width, height; /* pixels; 0 stands for 720 and 480 */
    svg_place legend;  /* in that corner, or the one where it hides less; or beside the plot */
    int panel, panels; /* 0 panels stand for 1 */
    bool dashed;       /* lines drawn from now on */
    FILE *file;        /* set by svg_begin, as are those below */
    long id;
    double left, top, right, bottom;
    struct {
        const char *label; /* must live until svg_end */
        int colour, shape;
    } series[8];
    int n_series;
    bool drawn[SVG_GRID][SVG_GRID]; /* fields of the plot in which series are, from the top */
} svg_plot;

/* svg_begin: frame, title, ticks, grid. svg_end: the legend; returns whether all was written. The caller
 * closes the file. */
void svg_begin(svg_plot *p, FILE *file);
bool svg_end(svg_plot *p);

/* svg_line, svg_points: a series of n points; NULL label: not in the legend. */
void svg_line(svg_plot *p, int colour, const char *label, const double *x, const double *y, int n);
void svg_points(svg_plot *p, int colour, const char *label, const double *x, const double *y, int n,
                double radius);

/* svg_cell: the rectangle from (x0, y0) to (x1, y1), share 0..1 of the way from white to the colour: for
 * heat maps, confusion matrices, decision regions. */
void svg_cell(svg_plot *p, double x0, double y0, double x1, double y1, int colour, double share);

/* svg_colour_bar: for a heat map whose values go from 0 (colour 0) over white to 1 (colour 1), with shares of
 * the colours up to `most`: right of a plot with its legend beside it, under the legend. */
void svg_colour_bar(svg_plot *p, const char *label, double most);

/* svg_text: centered at (x, y); dark, or light on dark ground. svg_text_before: ends at (x, y).
 * svg_text_up: the same, read from below. svg_text_width: about how many pixels wide. */
void svg_text(svg_plot *p, double x, double y, bool light, const char *text);
void svg_text_before(svg_plot *p, double x, double y, const char *text);
void svg_text_up(svg_plot *p, double x, double y, const char *text);
double svg_text_width(const char *text, double size);

/* svg_is_utf8: is the text UTF-8, and all of it characters of XML but for control characters?
 * svg_put_text: escaped, for SVG and HTML. */
bool svg_is_utf8(const char *text);
void svg_put_text(FILE *file, const char *text);

#endif
