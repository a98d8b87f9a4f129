/* The integer kernels for AVX-512 with VNNI, VBMI and VBMI2. The rest of the library never calls them unless obr_packed_supports says so. */
#if defined(__x86_64__)

#define OBR_AVX512VNNI
#define NAME(function) function##_avx512vnni

#include <immintrin.h>
#include "packed.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx512vbmi2,avx2,popcnt"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx512vbmi2,avx2,popcnt")
#endif

#include "packed_bytes.h"
#include "packed_layout.h"
#include "packed_bitmap.h"
#include "packed_matmul.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
