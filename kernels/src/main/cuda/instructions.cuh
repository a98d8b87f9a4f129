/* The instructions that CUDA C++ has no name for: one function each. */
#pragma once

#include <cuda_fp16.h>
#include <stdint.h>

#define DEVICE __device__ __forceinline__

/* Shared memory by its own 32-bit addresses, as the instructions below take them. */
DEVICE uint32_t shared_address(const void *pointer) { return (uint32_t)__cvta_generic_to_shared(pointer); }

/* ---- copies that run on while the warp computes; a thread sees its own after a wait, those of others after a barrier, too ---- */

/* 16 bytes to shared memory, past L1. */
DEVICE void copy_async(uint32_t to, const void *from) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}

/* The same, or 16 zeros where there is nothing to read. */
DEVICE void copy_async_or_zero(uint32_t to, const void *from, bool there) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(there ? 16 : 0) : "memory");
}

/* Ends a group of copies, possibly an empty one. */
DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/* Waits until all groups of this thread but the newest `pending` have arrived. */
template <int pending> DEVICE void await_copies() { asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory"); }

/* ---- what one thread block reads once: past L1 ---- */

DEVICE uint32_t load_once(const void *from) {
    uint32_t word;
    asm volatile("ld.global.nc.L1::no_allocate.u32 %0, [%1];" : "=r"(word) : "l"(from));
    return word;
}

DEVICE uint2 load_once_8(const void *from) {
    uint2 words;
    asm volatile("ld.global.nc.L1::no_allocate.v2.u32 {%0, %1}, [%2];" : "=r"(words.x), "=r"(words.y) : "l"(from));
    return words;
}

DEVICE uint4 load_once_16(const void *from) {
    uint4 words;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w)
                 : "l"(from));
    return words;
}

/* ---- shared memory ---- */

DEVICE uint32_t load_shared(uint32_t address) {
    uint32_t word;
    asm volatile("ld.shared.u32 %0, [%1];" : "=r"(word) : "r"(address) : "memory");
    return word;
}

DEVICE uint2 load_shared_8(uint32_t address) {
    uint2 words;
    asm volatile("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(words.x), "=r"(words.y) : "r"(address) : "memory");
    return words;
}

DEVICE uint4 load_shared_16(uint32_t address) {
    uint4 words;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w)
                 : "r"(address)
                 : "memory");
    return words;
}

DEVICE void store_shared(uint32_t address, __half value) {
    asm volatile("st.shared.u16 [%0], %1;" ::"r"(address), "h"(__half_as_ushort(value)) : "memory");
}

/* Four matrices of 8 rows of 16 bytes; lane l names row l % 8 of matrix l / 8. Lane (g, t) gets bytes 4 t .. 4 t + 3 of row g of each. */
DEVICE uint4 load_matrices(uint32_t address) {
    uint4 words;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w)
                 : "r"(address)
                 : "memory");
    return words;
}

/* ---- sparse products D [16 rows, 8 columns] += A [16, K] . B [K, 8], half of A stored; e says which (ascending) ---- */

/* K = 128 of 4 bits: of each 8 columns two of the four aligned pairs are stored. sm_80, sm_86 and sm_89 alone. */
DEVICE void multiply_s4(int (&d)[4], uint4 a, uint4 b, uint32_t e) {
    asm("mma.sp.sync.aligned.m16n8k128.row.col.s32.s4.s4.s32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9, %10, %11}, {%0, %1, %2, %3}, %12, 0x0;"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y), "r"(b.z), "r"(b.w), "r"(e));
}

/* K = 64 of 8 bits: of each 4 columns two are stored. */
DEVICE void multiply_s8(int (&d)[4], uint4 a, uint4 b, uint32_t e) {
    asm("mma.sp.sync.aligned.m16n8k64.row.col.s32.s8.s8.s32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9, %10, %11}, {%0, %1, %2, %3}, %12, 0x0;"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y), "r"(b.z), "r"(b.w), "r"(e));
}

/* ---- dense products D [16 rows, 8 columns] += A [16, K] . B [K, 8] ---- */

/* K = 64 of 4 bits. sm_80, sm_86 and sm_89 alone. */
DEVICE void multiply_dense_s4(int (&d)[4], uint4 a, uint2 b) {
    asm("mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y));
}

/* K = 32 of 8 bits. */
DEVICE void multiply_dense_s8(int (&d)[4], uint4 a, uint2 b) {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y));
}

/* K = 16 of half floats, summed as f32. */
DEVICE void multiply_f16(float (&d)[4], uint4 a, uint32_t b0, uint32_t b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b0), "r"(b1));
}
