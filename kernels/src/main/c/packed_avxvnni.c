/* The integer kernels for AVX2 with AVX-VNNI, whose vpdpbusd serves prefill and dense weights. The rest of the library never calls them unless obr_packed_supports says so. */
#if defined(__x86_64__)

#define OBR_AVXVNNI
#define NAME(function) function##_avxvnni

#include <immintrin.h>
#include "packed.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,avxvnni"))), apply_to = function)
#else
#pragma GCC target("avx2,avxvnni")
#endif

#include "packed_bytes.h"
#include "packed_layout.h"
#include "packed_matmul.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
