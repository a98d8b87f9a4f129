// Running sums of a block's 256 numbers, by doubling strides between two buffers.
extern "C" __global__ void scan_doubling(const int* x, int* y) {
    __shared__ int buffer[2][256];
    int t = threadIdx.x, from = 0, at = blockIdx.x * 256 + t;
    buffer[0][t] = x[at];
    __syncthreads();
    for (int stride = 1; stride < 256; stride *= 2) {
        buffer[1 - from][t] = buffer[from][t] + (t >= stride ? buffer[from][t - stride] : 0);
        from = 1 - from;
        __syncthreads();
    }
    y[at] = buffer[from][t];
}

// The same by warps, for any number of threads.
extern "C" __global__ void scan_warps(const int* x, int* y, int n) {
    __shared__ int totals[32];
    int t = threadIdx.x, lane = t & 31, warp = t >> 5;
    int v = t < n ? x[t] : 0;
#pragma unroll
    for (int stride = 1; stride < 32; stride *= 2) {
        int left = __shfl_up_sync(0xffffffff, v, stride);
        if (lane >= stride) v += left;
    }
    if (lane == 31) totals[warp] = v;
    __syncthreads();
    if (warp == 0) {
        int w = lane < (blockDim.x + 31) / 32 ? totals[lane] : 0;
        for (int stride = 1; stride < 32; stride *= 2) {
            int left = __shfl_up_sync(0xffffffff, w, stride);
            if (lane >= stride) w += left;
        }
        totals[lane] = w;
    }
    __syncthreads();
    if (t < n) y[t] = v + (warp > 0 ? totals[warp - 1] : 0);
}
