/* Programs as C files. */
#include "models/files/program_c.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"

#include <stdio.h>
#include <string.h>

enum { PROGRAM_C_NAME = 256 }; /* bytes of a file's name */

/* "step.c" of "dir/step.c"; NULL where it is no such path. */
static const char *program_c_base(const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    const char *base = slash != NULL ? slash + 1 : path;
    const size_t length = base != NULL ? strlen(base) : 0;
    return length > 2 && length < PROGRAM_C_NAME && strcmp(base + length - 2, ".c") == 0 ? base
                                                                                         : NULL;
}

/* Neither file is replaced unless both can be. */
static wg_status program_c_put(wg_tape *t, const wg_c_file *file, const char *header,
                               const char *source)
{
    wg_writer h, s;
    if (!wg_writer_open(&h, t, header))
        return wg_tape_status(t);
    if (!wg_writer_open(&s, t, source)) {
        wg_writer_abandon(&h);
        return wg_tape_status(t);
    }
    wg_writer_text(&h, file->header);
    wg_writer_text(&s, file->source);
    if (wg_writer_close(&h) != WG_OK)
        wg_writer_abandon(&s);
    return wg_writer_close(&s);
}

wg_status wg_program_write_c(const wg_program *program, const char *path,
                             const wg_c_options *options)
{
    wg_tape *t = wg_program_output(program, 0)->tape;
    wg_c_options chosen = options != NULL ? *options : (wg_c_options){0};
    char name[PROGRAM_C_NAME], include[PROGRAM_C_NAME], header[PATH_MAX];
    const char *base = program_c_base(path);
    wg_c_file file;
    if (base == NULL || strlen(path) >= sizeof header) {
        wg_fail(t, WG_E_VALUE, "write: a path that ends with NAME.c wanted, not \"%s\"",
                path != NULL ? path : "NULL");
        return wg_tape_status(t);
    }
    snprintf(name, sizeof name, "%.*s", (int)strlen(base) - 2, base);
    snprintf(include, sizeof include, "%.253s.h", name);
    if (chosen.name == NULL)
        chosen.name = name;
    chosen.header = include;
    const wg_status status = wg_program_to_c(program, &chosen, &file);
    if (status != WG_OK)
        return status;
    strcpy(header, path);
    strcpy(header + strlen(path) - 1, "h");
    return program_c_put(t, &file, header, path);
}
