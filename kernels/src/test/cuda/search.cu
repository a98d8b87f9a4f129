// Where each key belongs in a sorted list: the number of smaller elements.
extern "C" __global__ void lower_bounds(const int* sorted, int n, const int* keys, int* places, int count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    int low = 0, high = n;
    while (low < high) {
        int middle = (low + high) / 2;
        if (sorted[middle] < keys[i]) low = middle + 1;
        else high = middle;
    }
    places[i] = low;
}

// Merges two sorted lists: each thread finds where its stretch of the result begins in both, and takes from there.
extern "C" __global__ void merge(const int* a, int na, const int* b, int nb, int* c, int stretch) {
    int begin = (blockIdx.x * blockDim.x + threadIdx.x) * stretch, end = min(begin + stretch, na + nb);
    if (begin >= end) return;
    int low = max(0, begin - nb), high = min(begin, na);
    while (low < high) {
        int i = (low + high) / 2;
        if (a[i] <= b[begin - i - 1]) low = i + 1;
        else high = i;
    }
    int i = low, j = begin - low;
    for (int at = begin; at < end; at++) c[at] = j >= nb || (i < na && a[i] <= b[j]) ? a[i++] : b[j++];
}

// Sorts 256 keys with their values by a bitonic network in shared memory.
extern "C" __global__ void bitonic(int* keys, short* values) {
    __shared__ int key[256];
    __shared__ short value[256];
    int t = threadIdx.x;
    key[t] = keys[blockIdx.x * 256 + t], value[t] = values[blockIdx.x * 256 + t];
    for (int size = 2; size <= 256; size *= 2)
        for (int stride = size / 2; stride; stride /= 2) {
            __syncthreads();
            int other = t ^ stride;
            if (other > t && (key[t] > key[other]) == ((t & size) == 0) && key[t] != key[other]) {
                int k = key[t];
                key[t] = key[other], key[other] = k;
                short v = value[t];
                value[t] = value[other], value[other] = v;
            }
        }
    __syncthreads();
    keys[blockIdx.x * 256 + t] = key[t], values[blockIdx.x * 256 + t] = value[t];
}
