/*
 * Which instruction sets may be used here: the processor must have them (CPUID) and the operating system must save their registers on a task switch (XGETBV).
 * A kernel compiled for one that lacks either ends the process with SIGILL.
 */
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

static int has_avx2(void) {
    unsigned a, b, c, d;
    if ((saved_registers() & 0x6) != 0x6) return 0; /* xmm, ymm */
    if (!__get_cpuid(1, &a, &b, &c, &d) || !all(c, bit_AVX | bit_FMA | bit_F16C)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && all(b, bit_AVX2);
}

static int has_avx512(void) {
    unsigned a, b, c, d;
    if ((saved_registers() & 0xe6) != 0xe6) return 0; /* xmm, ymm, mask registers, both halves of zmm */
    return has_avx2() && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
           all(b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
}

static int has_avxvnni(void) {
    unsigned a, b, c, d;
    return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && all(a, 1u << 4);
}

static int has_avx512vnni(void) {
    unsigned a, b, c, d;
    const unsigned vbmi = 1u << 1, vbmi2 = 1u << 6, vnni = 1u << 11;
    return has_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && all(c, vbmi | vbmi2 | vnni);
}

int32_t obr_packed_supports(int32_t set) {
    switch (set) {
    case PACKED_AVX2: return has_avx2();
    case PACKED_AVXVNNI: return has_avxvnni();
    case PACKED_AVX512VNNI: return has_avx512vnni();
    default: return 0;
    }
}

int32_t obr_supports(int32_t set) {
    return set == GENERIC || (set == AVX2 && has_avx2()) || (set == AVX512 && has_avx512());
}

#else

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
static int has_dotprod(void) { return getauxval(AT_HWCAP) >> 20 & 1; } /* HWCAP_ASIMDDP */
#else
static int has_dotprod(void) {
#if defined(__aarch64__) && defined(__APPLE__)
    return 1; /* every Apple processor that runs macOS */
#else
    return 0;
#endif
}
#endif

int32_t obr_packed_supports(int32_t set) { return set == PACKED_DOTPROD && has_dotprod(); }

int32_t obr_supports(int32_t set) { return set == GENERIC; }

#endif
