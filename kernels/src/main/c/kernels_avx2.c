/* The kernels for AVX2 with FMA and F16C: vectors of 8 floats, 16 registers. The rest of the library never calls them unless obr_supports says so. */
#if defined(__x86_64__)

#define LANES 8
#define OBR_AVX2
#define NAME(function) function##_avx2

#include <immintrin.h>
#include "obrkernels.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c")
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
