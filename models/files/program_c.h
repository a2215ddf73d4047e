#ifndef WG_MODELS_FILES_PROGRAM_C_H
#define WG_MODELS_FILES_PROGRAM_C_H

#include "autograd/compile/write.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_program_write_c: a program as two files, "dir/step.c" and "dir/step.h": path names the first,
 * and with it the functions, step_run and step_init. What is in them: autograd/compile/write.h;
 * options->name is not read. Each file is written beside its destination and renamed, the header
 * first.
 * Returns the tape's status. Errors: those of wg_program_to_c; WG_E_VALUE (a path that is no
 * identifier with ".c" behind it); WG_E_IO, and then a file is what it was. */
wg_status wg_program_write_c(const wg_program *program, const char *path,
                             const wg_c_options *options);

#ifdef __cplusplus
}
#endif
#endif
