/* Files of results, written entirely or not at all. */
#include "output.h"

#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wengert.h>

static struct {
    const char *path;
    char *bytes;
    size_t size;
} open_output;

/* ---- In memory ------------------------------------------------------------------------------------------- */

#ifdef _WIN32 /* has no such streams, but files that go when they are closed */

static FILE *stream_open(void)
{
    return tmpfile();
}

static bool stream_close(FILE *file)
{
    const long size = fflush(file) == 0 && !ferror(file) ? ftell(file) : -1;
    open_output.bytes = size >= 0 ? malloc((size_t)size + 1) : NULL;
    open_output.size = (size_t)size;
    rewind(file);
    const bool whole = open_output.bytes != NULL &&
                       fread(open_output.bytes, 1, open_output.size, file) == open_output.size;
    return fclose(file) == 0 && whole;
}

#else

static FILE *stream_open(void)
{
    return open_memstream(&open_output.bytes, &open_output.size);
}

static bool stream_close(FILE *file)
{
    const bool whole = !ferror(file);
    return fclose(file) == 0 && whole;
}

#endif

/* ---- Files ----------------------------------------------------------------------------------------------- */

FILE *output_open(const char *path)
{
    open_output.path = path;
    open_output.bytes = NULL;
    FILE *file = stream_open();
    if (file == NULL)
        options_complain("%s: %s", path, strerror(errno));
    return file;
}

static bool write_bytes(void)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_file_write(t, open_output.path, open_output.bytes, (int64_t)open_output.size);
    const bool written = wg_tape_status(t) == WG_OK;
    if (!written)
        options_complain("%s", wg_tape_message(t));
    wg_tape_free(t);
    return written;
}

bool output_close(FILE *file, bool complete)
{
    bool written = stream_close(file) && complete;
    if (written)
        written = write_bytes();
    else
        options_complain("%s: %s", open_output.path, strerror(ENOMEM));
    free(open_output.bytes);
    return written;
}
