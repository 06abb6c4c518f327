/* The version of Skylark, in one place. */
#ifndef SKYLARK_COMMON_VERSION_H
#define SKYLARK_COMMON_VERSION_H

#define SKYLARK_VERSION "0.1.0"

#endif
