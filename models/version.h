#ifndef WG_MODELS_VERSION_H
#define WG_MODELS_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers. Before 1.0 another minor number may change the interface (the
 * shared library is libwengert.so.0.MINOR), another patch does not; from 1.0 on the major number
 * alone does. */
#define WG_VERSION_MAJOR 0
#define WG_VERSION_MINOR 2
#define WG_VERSION_PATCH 0
#define WG_VERSION       "0.2.0"

/* wg_version: WG_VERSION of the library that is linked; it differs from the macro where a program
 * was compiled with the headers of another one. */
const char *wg_version(void);

#ifdef __cplusplus
}
#endif
#endif
