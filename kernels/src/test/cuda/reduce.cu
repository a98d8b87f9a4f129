// Sums by shuffles: each warp adds down its lanes, warp 0 adds the warps.
extern "C" __global__ void block_sums(const float* x, int n, float* sums) {
    __shared__ float warps[32];
    float sum = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += x[i];
    for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffff, sum, step);
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x < 32) {
        sum = threadIdx.x < blockDim.x / 32 ? warps[threadIdx.x] : 0;
        for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffff, sum, step);
        if (threadIdx.x == 0) sums[blockIdx.x] = sum;
    }
}

// The largest value and the first place it stands at, by a tree in dynamic shared memory.
extern "C" __global__ void largest(const int* x, int n, int* value, int* place) {
    extern __shared__ int tree[];
    int* places = tree + blockDim.x;
    int best = -2147483647 - 1, at = -1;
    for (int i = threadIdx.x; i < n; i += blockDim.x)
        if (x[i] > best || at < 0) best = x[i], at = i;
    tree[threadIdx.x] = best;
    places[threadIdx.x] = at;
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            int other = tree[threadIdx.x + half], where = places[threadIdx.x + half];
            bool better = where >= 0 && (places[threadIdx.x] < 0 || other > tree[threadIdx.x] ||
                                         (other == tree[threadIdx.x] && where < places[threadIdx.x]));
            if (better) tree[threadIdx.x] = other, places[threadIdx.x] = where;
        }
    }
    if (threadIdx.x == 0) *value = tree[0], *place = places[0];
}
