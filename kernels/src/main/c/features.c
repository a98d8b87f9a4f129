/*
 * Which instruction sets may be used here: the processor must have them (CPUID) and the operating system must save their registers on a task switch (XGETBV).
 * A kernel compiled for one that lacks either ends the process with SIGILL.
 */
#if defined(__linux__) && defined(__x86_64__)
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "packed.h"

int32_t obr_abi(void) { return OBR_ABI; }

#if defined(__x86_64__)
#include <cpuid.h>

/* XCR0: which register files the operating system saves; 0 if it does not say */
static uint64_t saved_registers(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static int all(unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; }

/* the processor's answer, then the system's */
static int32_t answer(int has, int (*enabled)(void)) {
    return !has ? OBR_ABSENT : enabled() ? OBR_RUNS : OBR_DISABLED;
}

static int has_avx2(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !all(c, bit_AVX | bit_FMA | bit_F16C)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && all(b, bit_AVX2);
}

static int enables_avx2(void) { return (saved_registers() & 0x6) == 0x6; } /* xmm, ymm */

static int has_avx512(void) {
    unsigned a, b, c, d;
    return has_avx2() && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
           all(b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
}

/* xmm, ymm, mask registers, both halves of zmm */
static int enables_avx512(void) { return (saved_registers() & 0xe6) == 0xe6; }

static int has_avxvnni(void) {
    unsigned a, b, c, d;
    return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && all(a, 1u << 4);
}

static int has_avx512vnni(void) {
    unsigned a, b, c, d;
    const unsigned vbmi = 1u << 1, vbmi2 = 1u << 6, vnni = 1u << 11;
    return has_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && all(c, vbmi | vbmi2 | vnni);
}

static int has_amx(void) {
    unsigned a, b, c, d;
    const unsigned tile = 1u << 24, int8 = 1u << 25;
    if (!has_avx512vnni() || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !all(d, tile | int8)) return 0;
    /* palette 1: 8 tiles of 64 bytes a row, 16 rows */
    return __get_cpuid_count(0x1d, 1, &a, &b, &c, &d) && b == (8u << 16 | 64) && (c & 0xffff) == 16;
}

/* The system hands out room for tiles on request only; one request serves all threads of the process, and another does no harm. */
static int enables_amx(void) {
#if defined(__linux__)
    const uint64_t tiles = 3u << 17; /* their shapes, their contents */
    enum { REQUEST_PERMISSION = 0x1023, TILE_CONTENTS = 18 };
    return enables_avx512() && (saved_registers() & tiles) == tiles &&
           syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_CONTENTS) == 0;
#else
    return 0;
#endif
}

int32_t obr_packed_supports(int32_t set) {
    switch (set) {
    case PACKED_AVX2: return answer(has_avx2(), enables_avx2);
    case PACKED_AVXVNNI: return answer(has_avxvnni(), enables_avx2);
    case PACKED_AVX512VNNI: return answer(has_avx512vnni(), enables_avx512);
    case PACKED_AMX: return has_amx() && !OBR_COMPILES_AMX ? OBR_NOT_COMPILED : answer(has_amx(), enables_amx);
    default: return OBR_FOREIGN;
    }
}

int32_t obr_supports(int32_t set) {
    switch (set) {
    case GENERIC: return OBR_RUNS;
    case AVX2: return answer(has_avx2(), enables_avx2);
    case AVX512: return answer(has_avx512(), enables_avx512);
    default: return OBR_FOREIGN;
    }
}

#else

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
static int has_dotprod(void) { return getauxval(AT_HWCAP) >> 20 & 1; } /* HWCAP_ASIMDDP */
#elif defined(__aarch64__)
static int has_dotprod(void) {
#if defined(__APPLE__)
    return 1; /* every Apple processor that runs macOS */
#else
    return 0;
#endif
}
#endif

int32_t obr_packed_supports(int32_t set) {
#if defined(__aarch64__)
    if (set == PACKED_DOTPROD) return has_dotprod() ? OBR_RUNS : OBR_ABSENT;
#endif
    return OBR_FOREIGN;
}

int32_t obr_supports(int32_t set) { return set == GENERIC ? OBR_RUNS : OBR_FOREIGN; }

#endif
