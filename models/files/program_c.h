#ifndef WG_MODELS_FILES_PROGRAM_C_H
#define WG_MODELS_FILES_PROGRAM_C_H

#include "autograd/compile/write.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_program_write_c: a program as two files, "dir/step.c" and "dir/step.h": path names the first,
 * and with it, where options->name is NULL, the functions, step_run and step_init; wg_c_identifier
 * says what becomes of a name that C does not take. What is in them: autograd/compile/write.h;
 * options->header is not read. Each file is written beside its destination and renamed, the header
 * first, when both can be.
 * Returns the tape's status. Errors: those of wg_program_to_c; WG_E_VALUE (a path that does
 * not end with NAME.c); WG_E_IO, and then a file is what it was. */
wg_status wg_program_write_c(const wg_program *program, const char *path,
                             const wg_c_options *options);

#ifdef __cplusplus
}
#endif
#endif
