package dev.obr.kernels.emulator;

import dev.obr.kernels.gpu.LaunchShape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Programs that branch, loop, call and keep arrays of their own. */
final class FlowPrograms {
    private FlowPrograms() {}

    static List<CudaProgram> all() {
        return List.of(
                interpret(),
                jumps(),
                collatz(),
                escape(),
                pairs(),
                particles(),
                byValue(),
                insertionSort(),
                digitCounts(),
                tables(),
                lowerBounds(),
                merge(),
                bitonic());
    }

    private static CudaProgram interpret() {
        int length = 24;
        int[] programs = new int[3 * length];
        Random random = new Random(1);
        for (int i = 0; i < length; i++) {
            int operation = random.nextInt(12);
            programs[i] = operation | random.nextInt(16) << 4 | random.nextInt(1, 99) << 8;
            boolean jump = i % 5 == 4;
            programs[2 * length + i] = (jump ? 12 : operation) | random.nextInt(16) << 4 | random.nextInt(4) << 8;
        }
        // r2 = 5; do { r0 += r1; r1 ^= r0 << 3; r3 -= 3 r0; if (r3 <= 0) r1 += 17; r0 = r0 % r1; r0 = ~r0 } while (r2--
        // > 0)
        int[] loop = {
            7 | 2 << 4 | 5 << 8,
            1 | 1 << 6,
            4 | 1 << 4 | 3 << 8,
            2 | 3 << 4,
            12 | 3 << 6 | 1 << 8,
            8 | 1 << 4 | 17 << 8,
            10 | 1 << 6,
            15,
            13 | 2 << 4 | 8 << 8,
            14
        };
        System.arraycopy(loop, 0, programs, length, loop.length);
        int[] x = Numbers.ints(96, -1000, 1000, 2);
        int[] y = new int[96];
        for (int t = 0; t < 96; t++) {
            y[t] = interpreted(Arrays.copyOfRange(programs, t % 3 * length, t % 3 * length + length), x[t], t);
        }
        return new CudaProgram("interpreter", "interpret", LaunchShape.of(2, 48, 0))
                .in(programs)
                .i32(length)
                .in(x)
                .out(y);
    }

    private static int interpreted(int[] program, int x, int t) {
        int[] r = {x, t, 1, 0};
        for (int at = 0; at < program.length; at++) {
            int constant = program[at] >> 8;
            int source = r[program[at] >> 6 & 3];
            int to = program[at] >> 4 & 3;
            switch (program[at] & 15) {
                case 0 -> r[to] = source;
                case 1 -> r[to] += source;
                case 2 -> r[to] -= 3 * source;
                case 3 -> r[to] *= source;
                case 4 -> r[to] ^= source << constant;
                case 5 -> r[to] = source >> constant;
                case 6 -> r[to] = source >>> constant;
                case 7 -> r[to] = constant;
                case 8 -> r[to] += constant;
                case 9 -> r[to] = source == 0 ? 7 : r[to] / source;
                case 10 -> r[to] = source == 0 ? -7 : r[to] % source;
                case 11 -> r[to] = Math.min(r[to], source);
                case 12 -> at += source > 0 ? constant : 0;
                case 13 -> at -= r[to]-- > 0 ? constant : 0;
                case 14 -> at = program.length;
                default -> r[to] = ~r[to];
            }
        }
        return r[0] + 31 * (r[1] + 31 * (r[2] + 31 * r[3]));
    }

    /** The compiler writes no jump by a table any more; this one is written by hand. */
    private static CudaProgram jumps() {
        int[] x = Numbers.ints(64, 0, 20, 15);
        int[] y = new int[64];
        for (int t = 0; t < 64; t++) {
            int state = x[t];
            int count = 0;
            int sum = 0;
            boolean running = true;
            while (++count <= 12 && running) {
                switch (state) {
                    case 0 -> {
                        sum++;
                        state = 3;
                    }
                    case 1, 3 -> {
                        sum = 2 * sum + t;
                        state++;
                    }
                    case 2 -> {
                        sum ^= 0x55;
                        state = 5;
                    }
                    case 4 -> {
                        sum = -sum;
                        running = false;
                        count--; // the loop counts once more
                    }
                    default -> {
                        sum -= 7;
                        state -= 5;
                    }
                }
            }
            y[t] = 100 * count + sum;
        }
        return new CudaProgram("jumps", "jumps", LaunchShape.of(1, 64, 0)).in(x).out(y);
    }

    private static CudaProgram collatz() {
        int[] x = Numbers.ints(200, 1, 100_000, 3);
        x[5] = 1;
        x[6] = 27;
        int[] steps = new int[x.length];
        for (int i = 0; i < x.length; i++) {
            long v = x[i];
            int count = 0;
            while (v != 1 && count < 120) {
                v = v % 2 == 0 ? v / 2 : 3 * v + 1;
                count++;
            }
            steps[i] = v == 1 ? count : -1;
        }
        return new CudaProgram("divergence", "collatz", LaunchShape.of(2, 40, 0))
                .in(x)
                .out(steps)
                .i32(200)
                .i32(120);
    }

    private static CudaProgram escape() {
        int width = 42;
        int height = 30;
        int[] counts = new int[width * height];
        for (int at = 0; at < counts.length; at++) {
            float cx = -2 + at % width * 0.0625f;
            float cy = -1 + at / width * 0.0625f;
            float x = 0;
            float y = 0;
            while (counts[at] < 60 && x * x + y * y <= 4) {
                float next = x * x - y * y + cx;
                y = 2 * x * y + cy;
                x = next;
                counts[at]++;
            }
        }
        return new CudaProgram("divergence", "escape", CudaProgram.grid(3, 4, 16, 8))
                .out(counts)
                .i32(width)
                .i32(height)
                .i32(60);
    }

    private static CudaProgram pairs() {
        int[] x = Numbers.ints(64, 0, 25, 4);
        int[] counts = new int[64];
        for (int t = 0; t < 64; t++) {
            for (int i = 1; i < x[t]; i++) {
                int found = 0;
                for (int j = i + 1; j < x[t]; j++) {
                    found += i * j % 7 == t % 32 % 7 ? 1 : 0;
                }
                counts[t] += i % 3 == t % 3 ? 0 : Math.min(found, 5);
            }
        }
        return new CudaProgram("divergence", "pairs", LaunchShape.of(1, 64, 0))
                .in(x)
                .out(counts);
    }

    private record Particle(float[] position, float mass, int kind) {
        Particle moved(float time) {
            float[] next = new float[3];
            for (int i = 0; i < 3; i++) {
                next[i] = position[i] + time * (i + 1) / mass;
            }
            return new Particle(next, mass, -kind);
        }

        void put(ByteBuffer to) {
            for (float p : position) {
                to.putFloat(p);
            }
            to.putFloat(mass).putInt(kind);
        }
    }

    private static CudaProgram particles() {
        float[] numbers = Numbers.floats(4 * 64, 0.5f, 9, 5);
        ByteBuffer in = buffer(20 * 64);
        ByteBuffer out = buffer(20 * 64);
        ByteBuffer pairs = buffer(16 * 64);
        float time = 0.3f;
        for (int t = 0; t < 64; t++) {
            Particle p = new Particle(Arrays.copyOfRange(numbers, 4 * t, 4 * t + 3), numbers[4 * t + 3], 5 * t - 99);
            Particle q = p.moved(time);
            q = t % 4 == 3 ? q.moved(-time) : q;
            p.put(in);
            q.put(out);
            pairs.putDouble((double) p.position[0] * q.position[2] + p.mass).putLong(p.kind * 1_000_003L + q.kind);
        }
        return new CudaProgram("functions", "particles", LaunchShape.of(2, 32, 0))
                .in(in.array())
                .out(out.array())
                .out(pairs.array())
                .f32(time);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static CudaProgram byValue() {
        double[] y = new double[40];
        for (int t = 0; t < y.length; t++) {
            y[t] = -123 * 0.5 + 300 * t * -2 + 250;
        }
        long settings = ByteBuffer.wrap(buffer(8)
                        .putInt(-123)
                        .putShort((short) 300)
                        .put((byte) -2)
                        .put((byte) 250)
                        .array())
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
        return new CudaProgram("functions", "by_value", LaunchShape.of(1, 40, 0))
                .u64(settings)
                .out(y);
    }

    private static CudaProgram insertionSort() {
        int[] x = Numbers.ints(16 * 48, -50, 50, 6);
        int[] y = x.clone();
        for (int t = 0; t < 48; t++) {
            Arrays.sort(y, 16 * t, 16 * t + 16);
        }
        return new CudaProgram("local", "insertion_sort", LaunchShape.of(1, 48, 0))
                .in(x)
                .out(y);
    }

    private static CudaProgram digitCounts() {
        int[] x = new Random(7).ints(70).toArray();
        x[3] = 0;
        long[] y = new long[70];
        for (int t = 0; t < 70; t++) {
            int base = 3 + t % 13;
            String digits = x[t] == 0 ? "" : Integer.toUnsignedString(x[t], base);
            y[t] = digits.length();
            for (int i = 0; i < base; i++) {
                char digit = Character.forDigit(i, base);
                y[t] = y[t] * 37 + digits.chars().filter(c -> c == digit).count();
            }
        }
        return new CudaProgram("local", "digit_counts", LaunchShape.of(1, 70, 0))
                .in(x)
                .out(y);
    }

    private static CudaProgram tables() {
        float[] coefficients = {1, -0.5f, 0.25f, -0.125f, 0.0625f, -3};
        int[] primes = {2, 3, 5, 7, 11, 13, 17, 19};
        float[] x = Numbers.floats(64, -2, 2, 8);
        float[] y = new float[64];
        int[] z = new int[64];
        for (int t = 0; t < 64; t++) {
            for (int i = 5; i >= 0; i--) {
                y[t] = Math.fma(y[t], x[t], coefficients[i]);
            }
            z[t] = primes[t % 8] * (t % 2 == 0 ? 100 : 2000) - 7 + "optimal brain restoration".charAt(t % 25) + 5;
        }
        return new CudaProgram("tables", "tables", LaunchShape.of(2, 32, 0))
                .in(x)
                .out(y)
                .out(z);
    }

    private static CudaProgram lowerBounds() {
        int[] sorted = Numbers.ints(201, -60, 60, 9);
        Arrays.sort(sorted);
        int[] keys = Numbers.ints(150, -80, 80, 10);
        int[] places = new int[150];
        for (int i = 0; i < 150; i++) {
            int key = keys[i];
            places[i] = (int) Arrays.stream(sorted).filter(v -> v < key).count();
        }
        return new CudaProgram("search", "lower_bounds", LaunchShape.of(3, 64, 0))
                .in(sorted)
                .i32(201)
                .in(keys)
                .out(places)
                .i32(150);
    }

    private static CudaProgram merge() {
        int[] a = Numbers.ints(137, -60, 60, 11);
        int[] b = Numbers.ints(91, -60, 60, 12);
        Arrays.sort(a);
        Arrays.sort(b);
        int[] c = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, c, a.length, b.length);
        Arrays.sort(c);
        return new CudaProgram("search", "merge", LaunchShape.of(2, 32, 0))
                .in(a)
                .i32(137)
                .in(b)
                .i32(91)
                .out(c)
                .i32(5);
    }

    private static CudaProgram bitonic() {
        int[] keys = new int[512];
        short[] values = new short[512];
        int[] sorted = new int[512];
        short[] carried = new short[512];
        for (int i = 0; i < 512; i++) {
            keys[i] = i * 7919 % 512 - 200; // all different
            values[i] = (short) (31 * keys[i] + 5);
            sorted[i] = keys[i];
        }
        Arrays.sort(sorted, 0, 256);
        Arrays.sort(sorted, 256, 512);
        for (int i = 0; i < 512; i++) {
            carried[i] = (short) (31 * sorted[i] + 5);
        }
        return new CudaProgram("search", "bitonic", LaunchShape.of(2, 256, 0))
                .inout(keys, sorted)
                .inout(values, carried);
    }
}
