/* The integer kernels of amx with its own instructions written out in C: in the place of packed_amx.c. */
#include "packed.h"

#if OBR_COMPILES_AMX

#define OBR_AVX512VNNI
#define OBR_AMX
#define NAME(function) function##_amx

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,popcnt"))), apply_to = function)
#else
#pragma GCC target("avx2,popcnt")
#endif

#include "amx_in_c.h"
#include "avx512_in_c.h"

#include "packed_bytes.h"
#include "packed_layout.h"
#include "packed_bitmap.h"
#include "packed_matmul.h"

/* for the test: tiles that are left set up burden every switch of tasks */
int tiles_in_use(void) { return tiles.in_use; }

#if defined(__clang__)
#pragma clang attribute pop
#endif

#else

int tiles_in_use(void) { return 0; }

#endif
