#ifndef EXAMPLES_SPOOL_H
#define EXAMPLES_SPOOL_H

/* spool: data from a pipe, be it the standard input ("-") or a path such as a shell's <(...), is kept in a
 * temporary file, which becomes the standard input, so that it can be looked into and read again. Returns the
 * path to read: "-" then, else the same; NULL after an error, which has been printed. */
const char *spool(const char *path);

/* spool_rewind: before the path is read: of "-" from its beginning. */
void spool_rewind(const char *path);

#endif
