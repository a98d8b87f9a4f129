/* The integer kernels for AVX2. The rest of the library never calls them unless obr_packed_supports says so. */
#if defined(__x86_64__)

#define OBR_AVX2
#define NAME(function) function##_avx2

#include <immintrin.h>
#include "packed.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#include "packed_bytes.h"
#include "packed_layout.h"
#include "packed_matmul.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
