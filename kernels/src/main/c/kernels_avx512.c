/* The kernels for AVX-512 (F, BW, DQ, VL): vectors of 16 floats, 32 registers. The rest of the library never calls them unless obr_supports says so. */
#if defined(__x86_64__)

#define LANES 16
#define OBR_AVX512
#define NAME(function) function##_avx512

#include <immintrin.h>
#include "obrkernels.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")
#endif

#include "lanes.h"
#include "dequantize.h"
#include "matmul.h"
#include "elementwise.h"
#include "attention.h"
#include "hadamard.h"
#include "quantize.h"
#include "attention_codes.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
