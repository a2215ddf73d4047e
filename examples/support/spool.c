/* Pipes, kept where they can be read twice. */
#include "spool.h"

#include "options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __wasi__ /* has no pipes */

const char *spool(const char *path)
{
    return path;
}

#else

/* Does it begin anywhere but at the beginning of a regular file? */
static bool must_be_kept(const char *path)
{
    struct stat about;
    if (strcmp(path, "-") != 0)
        return stat(path, &about) == 0 && S_ISFIFO(about.st_mode);
    return fstat(STDIN_FILENO, &about) == 0 &&
           (!S_ISREG(about.st_mode) || lseek(STDIN_FILENO, 0, SEEK_CUR) != 0);
}

static bool copy(FILE *from, FILE *to)
{
    char bytes[1 << 16];
    size_t got;
    while ((got = fread(bytes, 1, sizeof bytes, from)) > 0)
        if (fwrite(bytes, 1, got, to) != got)
            return false;
    return !ferror(from) && fflush(to) == 0;
}

const char *spool(const char *path)
{
    if (!must_be_kept(path))
        return path;
    FILE *from = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb"), *to = tmpfile();
    bool kept = from != NULL && to != NULL && copy(from, to) &&
                dup2(fileno(to), STDIN_FILENO) == STDIN_FILENO;
    if (!kept)
        options_complain("%s: %s", path, strerror(errno));
    if (from != NULL && from != stdin)
        fclose(from);
    if (to != NULL)
        fclose(to);
    return kept ? "-" : NULL;
}

#endif

void spool_rewind(const char *path)
{
    if (strcmp(path, "-") == 0)
        (void)lseek(STDIN_FILENO, 0, SEEK_SET);
}
