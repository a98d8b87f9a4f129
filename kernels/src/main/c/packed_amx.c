/* The integer kernels for AMX-INT8 beside those of AVX-512 with VNNI, VBMI and VBMI2. The rest of the library never calls them unless obr_packed_supports says so. */
#include "packed.h"

#if OBR_COMPILES_AMX

#define OBR_AVX512VNNI /* layouts, unpacking, few tokens */
#define OBR_AMX        /* many tokens */
#define NAME(function) function##_amx

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx512vbmi2,avx2,popcnt,amx-tile,amx-int8"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx512vbmi2,avx2,popcnt,amx-tile,amx-int8")
#endif

#include "packed_bytes.h"
#include "packed_layout.h"
#include "packed_bitmap.h"
#include "packed_matmul.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
