/*
 * Products of weights under any mask with tokens of one byte, for few tokens, where what counts is bytes of weights: those that are not 0 are stored, and a bit for each. y as in spgemm.cuh.
 *
 *     a  [features / 16][K / 128] blocks, each from a multiple of 16 bytes on
 *
 *        | 32 lanes x 2 words of bits, 256 bytes | group 0: the codes of lane 0, lane 1, .. lane 31 | group 1 | .. | group 7 | 8 zero bytes, zeros up to a multiple of 16 |
 *
 *     e  [blocks + 1] words: where each block begins in a, in 16 bytes; the last one: where a ends
 *
 * A block stands for a dense one (forms.cuh): a lane has 8 registers of nibbles, n = register + 4 half. Bit 4 n + i of its word p says whether nibble 2 i + p of register n is there: word 0 is of
 * even columns, word 1 of odd ones. Group j is byte j of the two words, that is, two registers of bytes; the codes of a lane's group are its nibbles in the order of the bits, and follow those of
 * the lane before without a gap. 3 bits a weight at half of them, and 0.05 for starts and ends.
 *
 * Where a lane's codes begin is a sum over the lanes before it: 8 counts in the bytes of two words are summed at once, up to 31 * 8 each. A lane then takes the 8 nibbles from there on, of two
 * words that its neighbours take, too, so that there are no bank conflicts; nibbles become bytes of 16 x their value, and a table of 16 selectors says for 4 bits which byte goes where.
 *
 * A thread block makes 16 features x 8 TILES tokens; its WARPS warps share the steps. A block's length is known from e alone, so blocks travel to a ring of each warp's own: STAGES - 1 of them, 0.8 KB
 * each, without barriers of the thread block. Tokens come from L1, as for spgemv.cuh.
 *
 * Bound (modelled): a step is 450 instructions of a warp (sm_80), 112 cycles of a multiprocessor at 4 a cycle, for 0.8 KB. An RTX 4090's memory takes 250 for them, so bytes are its bound, as they
 * are to be; an A100's 60, and the 1 KB of a dense block 76: there dense weights are faster, and what is saved is memory. More tokens share a step's instructions; from some 64 on dense
 * weights are the better form everywhere.
 */
#include "spgemv.cuh"

enum { WARPS = 8, STAGES = 4, MASK_BYTES = 256, MOST_BYTES = MASK_BYTES + BLOCK_FEATURES * STEP / 2 + 16 };

/* Bytes of 16 x the values of the 4 low nibbles. */
DEVICE uint32_t bytes_of_four(uint32_t nibbles) {
    const uint32_t twice = __byte_perm(nibbles, 0, 0x1100);
    return (twice << 4 & 0x00F000F0) | (twice & 0xF000F000);
}

/* The number of ones of each byte. */
DEVICE uint32_t ones_of_bytes(uint32_t bits) {
    const uint32_t pairs = bits - (bits >> 1 & 0x55555555);
    const uint32_t fours = (pairs & 0x33333333) + (pairs >> 2 & 0x33333333);
    return (fours + (fours >> 4)) & 0x0F0F0F0F;
}

/* The sum of a word, byte by byte, over the lanes before this one. */
DEVICE uint32_t sum_before(uint32_t counts, uint32_t lane) {
    uint32_t sum = __shfl_up_sync(0xffffffff, counts, 1);
    if (lane == 0) sum = 0;
#pragma unroll
    for (uint32_t distance = 1; distance < 32; distance *= 2) {
        const uint32_t before = __shfl_up_sync(0xffffffff, sum, distance);
        if (lane >= distance) sum += before;
    }
    return sum;
}

/* A block's two planes of bytes, each of two halves. */
struct Expanded {
    uint4 halves[2][2];

    DEVICE Expanded(uint32_t block, uint32_t selectors, uint32_t lane) {
        const uint2 bits = load_shared_8(block + lane * 8);
        const uint32_t words[2] = {bits.x, bits.y};
        uint32_t first = 0; /* of the group, in nibbles */
#pragma unroll
        for (int plane = 0; plane < 2; plane++) {
            const uint32_t counts = ones_of_bytes(words[plane]), before = sum_before(counts, lane);
            const uint32_t last_count = __shfl_sync(0xffffffff, counts, 31), last_before = __shfl_sync(0xffffffff, before, 31);
            uint32_t registers[8];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const uint32_t from = first + byte_of(before, j), kept = byte_of(words[plane], j);
                const uint32_t word = block + MASK_BYTES + from / 8 * 4;
                const uint32_t eight = __funnelshift_r(load_shared(word), load_shared(word + 4), from % 8 * 4);
                const uint32_t low = kept % 16, high = kept / 16;
                registers[2 * j] = placed(eight, selectors, low);
                registers[2 * j + 1] = placed(eight >> 4 * __popc(low), selectors, high);
                first += byte_of(last_before, j) + byte_of(last_count, j);
            }
            halves[plane][0] = make_uint4(registers[0], registers[1], registers[2], registers[3]);
            halves[plane][1] = make_uint4(registers[4], registers[5], registers[6], registers[7]);
        }
    }

    DEVICE static uint32_t byte_of(uint32_t word, int j) { return word >> 8 * j & 255; }

    /* Bytes of the low nibbles where the 4 bits are 1, zeros elsewhere. */
    DEVICE static uint32_t placed(uint32_t nibbles, uint32_t selectors, uint32_t bits) {
        return __byte_perm(bytes_of_four(nibbles), 0, load_shared(selectors + bits * 4));
    }
};

template <int TILES> DEVICE void gemm_bitmap(const Operands &p) {
    __shared__ uint4 ring[WARPS * STAGES * MOST_BYTES / 16];
    __shared__ uint32_t selectors[16];
    static_assert(WARPS * TILES * SUM_WORDS * 4 <= sizeof(ring), "the sums take the place of the ring");
    const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const uint32_t first_token = blockIdx.y * TILES * 8;
    const uint32_t shared = shared_address(ring) + warp * STAGES * MOST_BYTES;
    const uint32_t *starts = (const uint32_t *)p.e + (uint64_t)blockIdx.x * p.steps;

    if (threadIdx.x < 16) {
        uint32_t selector = 0;
        for (int i = 0; i < 4; i++) {
            const uint32_t source = threadIdx.x >> i & 1 ? __popc(threadIdx.x & ((1 << i) - 1)) : 4; /* byte 4 is a zero */
            selector |= source << 4 * i;
        }
        selectors[threadIdx.x] = selector;
    }
    __syncthreads();

    /* The bounds of the block to load next are asked for one step ahead. */
    uint32_t begin = 0, end = 0;
    auto look_up = [&](uint32_t step) {
        if (step < p.steps) {
            begin = __ldg(starts + step);
            end = __ldg(starts + step + 1);
        } else
            end = begin;
    };
    auto load = [&](uint32_t slot, uint32_t next_step) {
#pragma unroll
        for (uint32_t c = lane; c < MOST_BYTES / 16 + lane; c += 32)
            if (c < end - begin) copy_async(shared + slot * MOST_BYTES + c * 16, p.a + (uint64_t)(begin + c) * 16);
        commit_copies();
        look_up(next_step);
    };
    look_up(warp);
    for (uint32_t i = 0; i < STAGES - 1; i++) load(i, warp + (i + 1) * WARPS);

    int d[TILES][4] = {};
    for (uint32_t step = warp, slot = 0; step < p.steps; step += WARPS) {
        uint4 tokens[TILES][2];
#pragma unroll
        for (int tile = 0; tile < TILES; tile++) {
            const uint32_t token = min(first_token + tile * 8 + lane / 4, p.tokens - 1);
            const uint8_t *x = p.x + ((uint64_t)token * p.steps + step) * Int8::ROW_BYTES;
            tokens[tile][0] = Int8::global(x, 0, lane % 4);
            tokens[tile][1] = Int8::global(x, 1, lane % 4);
        }
        await_copies<STAGES - 2>();
        __syncwarp(); /* all lanes' copies are there, and all have read the block before */
        load(slot == 0 ? STAGES - 1 : slot - 1, step + STAGES * WARPS);
        const Expanded w(shared + slot * MOST_BYTES, shared_address(selectors), lane);
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
#pragma unroll
            for (int plane = 0; plane < 2; plane++) {
                const uint4 x = tokens[tile][plane];
                multiply_dense_s8(d[tile], w.halves[plane][0], make_uint2(x.x, x.y));
                multiply_dense_s8(d[tile], w.halves[plane][1], make_uint2(x.z, x.w));
            }
        slot = slot == STAGES - 1 ? 0 : slot + 1;
    }
    __syncthreads(); /* all have read their last blocks; the copies behind them are empty groups */
    add_up_and_store<WARPS, TILES>((int *)ring, d, 1.0f / 16, p);
}

#define GEMM_BITMAP(NAME, TILES)                                                                                       \
    extern "C" __global__ void __launch_bounds__(WARPS * 32)                                                           \
        NAME(const uint8_t *a, const uint8_t *e, const uint8_t *x, const float *ws, const float *xs,                   \
             const float *bias, const __half *residual, __half *y, uint32_t tokens, uint32_t features, uint32_t steps) { \
        gemm_bitmap<TILES>({a, e, x, ws, xs, bias, residual, y, tokens, features, steps});                             \
    }

GEMM_BITMAP(gemm_bitmap_16x8, 1)  // registers <= 64
GEMM_BITMAP(gemm_bitmap_16x16, 2) // registers <= 80
GEMM_BITMAP(gemm_bitmap_16x32, 4) // registers <= 128
