/* The integer kernels of avxvnni with its own instructions written out in C: in the place of packed_avxvnni.c. */
#if defined(__x86_64__)

#define OBR_AVXVNNI
#define NAME(function) function##_avxvnni

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,popcnt"))), apply_to = function)
#else
#pragma GCC target("avx2,popcnt")
#endif

#include "avx512_in_c.h"
#include "packed.h"

#include "packed_bytes.h"
#include "packed_layout.h"
#include "packed_matmul.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
