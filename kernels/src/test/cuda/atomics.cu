// What may be changed by many thread blocks at once; the order does not matter to the results.
__device__ float atomic_most(float* at, float v) {
    int* bits = (int*)at;
    int seen = *(volatile int*)bits;
    while (__int_as_float(seen) < v) {
        int before = atomicCAS(bits, seen, __float_as_int(v));
        if (before == seen) break;
        seen = before;
    }
    return __int_as_float(seen);
}

extern "C" __global__ void atomics(const int* x, int n, int* ints, unsigned* unsigneds, unsigned long long* wide, float* floats) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int v = x[i];
    atomicAdd(&ints[0], v);
    atomicSub(&ints[1], v);
    atomicMin(&ints[2], v);
    atomicMax(&ints[3], v);
    atomicAnd(&unsigneds[0], ~(1u << (v & 31)));
    atomicOr(&unsigneds[1], 1u << (v & 15));
    atomicXor(&unsigneds[2], (unsigned)v * 2654435761u);
    atomicInc(&unsigneds[3], 9u);
    atomicDec(&unsigneds[4], 6u);
    atomicMax(&unsigneds[5], (unsigned)v);
    atomicAdd(&wide[0], (unsigned long long)v << 20);
    atomicMax(&wide[1], (unsigned long long)(unsigned)v << 17);
    atomicAdd(&floats[0], (float)(v & 255));
    atomic_most(&floats[1], v * 0.5f);
}

// Each value returned by a counter is given out once.
extern "C" __global__ void tickets(unsigned* counter, unsigned* taken) {
    unsigned ticket = atomicAdd(counter, 1u);
    atomicAdd(&taken[ticket], 1u);
    __shared__ unsigned mine;
    if (threadIdx.x == 0) mine = 0;
    __syncthreads();
    unsigned place = atomicExch(&mine, threadIdx.x + 1);  // everyone finds another's
    __syncthreads();
    atomicXor(&taken[gridDim.x * blockDim.x], place ^ (threadIdx.x == 0 ? mine : 0));
}

// The block that finishes last adds what all have left.
extern "C" __global__ void last_adds(const int* x, int* partial, unsigned* finished, int* total) {
    __shared__ int sum;
    __shared__ bool last;
    if (threadIdx.x == 0) sum = 0;
    __syncthreads();
    atomicAdd(&sum, x[blockIdx.x * blockDim.x + threadIdx.x]);
    __syncthreads();
    if (threadIdx.x == 0) {
        *(volatile int*)(partial + blockIdx.x) = sum;
        __threadfence();
        last = atomicAdd(finished, 1u) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
        int all = 0;
        for (int i = 0; i < gridDim.x; i++) all += *(volatile int*)(partial + i);
        *total = all;
    }
}
