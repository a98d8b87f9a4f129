// What the lanes of a warp tell each other; 12 words a thread.
extern "C" __global__ void votes(const int* x, unsigned* y) {
    int t = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x & 31;
    int v = x[t];
    unsigned all = 0xffffffff, odd = __ballot_sync(all, v & 1);
    unsigned* out = y + 12 * t;
    out[0] = odd;
    out[1] = __any_sync(all, v > 90) + 2 * __all_sync(all, v > 3);
    out[2] = __match_any_sync(all, v % 5);
    int same;
    out[3] = __match_all_sync(all, v / 1000, &same) ^ same;
    out[4] = __reduce_add_sync(all, v);
    out[5] = __reduce_max_sync(all, v) ^ (__reduce_min_sync(all, (unsigned)v) << 16);
    out[6] = __reduce_and_sync(all, (unsigned)v | 0xf0) ^ (__reduce_or_sync(all, (unsigned)v) << 8) ^ (__reduce_xor_sync(all, (unsigned)v) << 16);
    out[7] = __shfl_sync(all, v, lane * 7 + 3) ^ (__shfl_sync(all, v, 5, 8) << 8);
    out[8] = __shfl_up_sync(all, v, 3, 16) ^ (__shfl_down_sync(all, v, 6, 16) << 8);
    out[9] = __shfl_xor_sync(all, v, 9) ^ (__shfl_xor_sync(all, v, 20, 16) << 8);
    out[10] = 0;
    if (v & 1) {  // only these talk
        unsigned first = __ffs(odd) - 1;
        out[10] = __shfl_sync(odd, v, first) ^ (__reduce_add_sync(odd, v) << 8) ^ __ballot_sync(odd, v & 2);
    } else {
        out[10] = __popc(__ballot_sync(~odd, v & 4)) * 17;
    }
    __syncwarp();
    out[11] = __fns(odd, 0, 2);
}

// Counts across the block, and a named barrier that half of the warps meet at.
extern "C" __global__ void block_votes(const int* x, int* y) {
    __shared__ int board[128];
    int t = threadIdx.x, v = x[t];
    int count = __syncthreads_count(v > 50);
    int some = __syncthreads_or(v == 77);
    int each = __syncthreads_and(v >= 0);
    if (t < 64) {
        board[t] = v;
        asm volatile("bar.sync 1, 64;" ::: "memory");
        y[t] = board[63 - t];
    } else {
        board[t] = 2 * v;
        asm volatile("bar.sync 2, 64;" ::: "memory");
        y[t] = board[191 - t];
    }
    y[128 + t] = count + 1000 * (some != 0) + 2000 * (each != 0);
}

// One half of the block fills, the other takes: bar.arrive and bar.sync on two barriers.
extern "C" __global__ void relay(const int* x, int* y, int rounds) {
    __shared__ int slot[32];
    int lane = threadIdx.x & 31;
    for (int i = 0; i < rounds; i++) {
        if (threadIdx.x < 32) {
            if (i > 0) asm volatile("bar.sync 2, 64;" ::: "memory");  // is it taken?
            slot[lane] = x[i * 32 + lane] * 3;
            __threadfence_block();
            asm volatile("bar.arrive 1, 64;" ::: "memory");
        } else {
            asm volatile("bar.sync 1, 64;" ::: "memory");
            y[i * 32 + lane] = slot[31 - lane] + i;
            if (i + 1 < rounds) asm volatile("bar.arrive 2, 64;" ::: "memory");
        }
    }
}
