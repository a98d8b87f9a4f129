// Calls that are not inlined, with structures by value.
struct Particle {
    float position[3];
    float mass;
    int kind;
};

struct Pair {
    double first;
    long long second;
};

__noinline__ __device__ Particle moved(Particle p, float time) {
    for (int i = 0; i < 3; i++) p.position[i] += time * (i + 1) / p.mass;
    p.kind = -p.kind;
    return p;
}

__noinline__ __device__ Pair combined(Particle p, Particle q) {
    Pair pair;
    pair.first = (double)p.position[0] * q.position[2] + p.mass;
    pair.second = (long long)p.kind * 1000003 + q.kind;
    return pair;
}

extern "C" __global__ void particles(const Particle* in, Particle* out, Pair* pairs, float time) {
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    Particle p = in[t];
    out[t] = t % 4 == 3 ? moved(moved(p, time), -time) : moved(p, time);
    pairs[t] = combined(p, out[t]);
}

// A launch by value: the whole structure is a parameter.
struct Settings {
    int offset;
    short step;
    signed char sign;
    unsigned char flag;
};

extern "C" __global__ void by_value(Settings settings, double* y) {
    int t = threadIdx.x;
    y[t] = 0.5 * settings.offset + settings.step * t * settings.sign + settings.flag;
}
