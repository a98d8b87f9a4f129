/* The integer kernels for 64-bit ARM with the dot product instructions (ARMv8.2, FEAT_DotProd). The rest of the library never calls them unless obr_packed_supports says so. */
#if defined(__aarch64__)

#define OBR_DOTPROD
#define NAME(function) function##_dotprod

#include <arm_neon.h>
#include "packed.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif

#include "packed_bytes.h"
#include "packed_layout.h"
#include "packed_matmul.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
