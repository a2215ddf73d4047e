#ifndef EXAMPLES_PICTURE_H
#define EXAMPLES_PICTURE_H

#include <wengert.h>

#include "svg.h"

/* What the worked examples share: their command line, files of pictures, and pictures of classifiers of the
 * plane. */

#define PICTURE_TITLE 160

typedef struct picture_arguments {
    const char *data; /* file of the data set; the caller's default where none is given */
    const char *svg;  /* file to draw to; NULL: none */
} picture_arguments;

/* picture_arguments_read: [--svg FILE] [DATA], or --help. Returns -1 to go on, or the exit status, after usage
 * was printed. */
int picture_arguments_read(picture_arguments *a, int argc, char **argv);

/* picture_title: "what: breast_cancer", for a picture of the data file's rows. Returns title. */
char *picture_title(const picture_arguments *a, const char *what, char title[PICTURE_TITLE]);

/* picture_end: prints the tape's error, if it has one, frees the tape, and returns the exit status: 0 where
 * there was no error and all pictures are drawn. */
int picture_end(wg_tape *t, bool drawn);

/* picture_is_svg: does the file's name end as pictures do? Prints why not. */
bool picture_is_svg(const char *path);

/* picture_open: svg_begin on a new file. picture_close: svg_end, and writes it, entirely or not at all. Both print
 * why they failed. */
bool picture_open(svg_plot *p, const char *path);
bool picture_close(svg_plot *p);

/* ---- Classifiers of the plane: functions on a lattice that covers the plot ------------------------------ */

/* plane_plot: a plot whose axes hold the points X [n, 2], with a margin. */
svg_plot plane_plot(const wg_tensor *X, const char *title);

/* plane_lattice: the lattice's points, a constant [m, 2]; values p on it are f64, [m] or [m, 1]. */
wg_tensor *plane_lattice(const svg_plot *p, wg_tape *t);

/* plane_heat: probabilities, 0 in the points' first colour, 1/2 white, 1 in the second.
 * plane_boundary: the line where they are 1/2.
 * plane_points: X [n, 2], f64, in the colours of their classes y, [n] or [n, 1], 0 and 1. */
void plane_heat(svg_plot *p, const wg_tensor *probability);
void plane_colour_bar(svg_plot *p); /* after everything that the legend names */
void plane_boundary(svg_plot *p, int colour, const char *label, const wg_tensor *probability);
void plane_points(svg_plot *p, const wg_tensor *X, const wg_tensor *y);

#endif
