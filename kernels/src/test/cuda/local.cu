// Sorts 16 numbers a thread by insertion, in local memory.
extern "C" __global__ void insertion_sort(const int* x, int* y) {
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    int mine[16];
    for (int i = 0; i < 16; i++) mine[i] = x[16 * t + i];
    for (int i = 1; i < 16; i++) {
        int v = mine[i], j = i;
        for (; j > 0 && mine[j - 1] > v; j--) mine[j] = mine[j - 1];
        mine[j] = v;
    }
    for (int i = 0; i < 16; i++) y[16 * t + i] = mine[i];
}

// Counts digits of a number in a base into an array of bytes, and writes it back as one number; a pointer to local memory is taken.
__noinline__ __device__ int digits(unsigned v, unsigned base, unsigned char* counts) {
    int n = 0;
    for (; v; v /= base, n++) counts[v % base]++;
    return n;
}

extern "C" __global__ void digit_counts(const unsigned* x, unsigned long long* y) {
    unsigned char counts[16] = {0};
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    int n = digits(x[t], 3 + t % 13, counts);
    unsigned long long sum = n;
    for (int i = 0; i < 3 + t % 13; i++) sum = sum * 37 + counts[i];
    y[t] = sum;
}
