// Steps of the 3n + 1 sequence until 1, or -1 past the limit; every lane stops when it may.
extern "C" __global__ void collatz(const unsigned* x, int* steps, int n, int limit) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        unsigned long long v = x[i];
        int count = 0;
        while (v != 1) {
            if (count == limit) {
                count = -1;
                break;
            }
            v = v % 2 ? 3 * v + 1 : v / 2;
            count++;
        }
        steps[i] = count;
    }
}

// Iterations until a point of the plane escapes, on a grid of blocks in two dimensions.
extern "C" __global__ void escape(int* counts, int width, int height, int most) {
    int px = blockIdx.x * blockDim.x + threadIdx.x, py = blockIdx.y * blockDim.y + threadIdx.y;
    if (px >= width || py >= height) return;
    float cx = -2.0f + px * 0.0625f, cy = -1.0f + py * 0.0625f, x = 0, y = 0;
    int i = 0;
    for (; i < most; i++) {
        float xx = __fmul_rn(x, x), yy = __fmul_rn(y, y);
        if (__fadd_rn(xx, yy) > 4) break;
        y = __fadd_rn(__fmul_rn(__fmul_rn(2, x), y), cy);
        x = __fadd_rn(__fsub_rn(xx, yy), cx);
    }
    counts[py * width + px] = i;
}

// Nested loops that some lanes skip, continue and leave: how many pairs i < j below x have i * j % 7 == lane % 7, at most 5 for each i.
extern "C" __global__ void pairs(const int* x, int* counts) {
    int t = blockIdx.x * blockDim.x + threadIdx.x, count = 0;
    for (int i = 1; i < x[t]; i++) {
        if (i % 3 == t % 3) continue;
        int found = 0;
        for (int j = i + 1; j < x[t]; j++) {
            if (i * j % 7 != (t & 31) % 7) continue;
            if (++found == 5) break;
        }
        count += found;
    }
    counts[t] = count;
}
