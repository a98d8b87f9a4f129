package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.Random;
import java.util.function.BiConsumer;

/**
 * A few tiny cases that compiled kernels must get right before they are trusted: each operation once or twice, with a tail, against {@link ScalarKernels}.
 *
 * <p>The tests compare far more; this catches a library that was compiled for the wrong machine or by a faulty compiler.
 */
final class SelfTest {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final float TOLERANCE = 1e-4f;

    /** The fewest output rows with a tail; the reference runs interpreted, at a process's start. */
    private static final int ROWS = 5;

    /** Of a power of two: it has no formula to evaluate first. */
    private static final HadamardTransform TRANSFORM = HadamardTransform.of(16).orElseThrow();

    private static final ActivationQuantizer FOUR_BITS = new ActivationQuantizer(4, ActivationQuantizer.SEARCH);

    /** Enough for the native kernels' prefill path. */
    private static final int MANY_TOKENS = 97;

    private final CpuKernels candidate;
    private final CpuKernels reference = new ScalarKernels();
    private final Arena arena;
    private final Random random = new Random(1);

    private SelfTest(CpuKernels candidate, Arena arena) {
        this.candidate = candidate;
        this.arena = arena;
    }

    /** The first operation that every model needs whose result is wrong, with both values; empty if all are right. */
    static Optional<String> firstDifference(CpuKernels candidate) {
        try (Arena arena = Arena.ofConfined()) {
            return new SelfTest(candidate, arena).floats();
        }
    }

    /** The first operation on codes whose result is wrong, with both values; empty if all are right. */
    static Optional<String> firstDifferenceOfCodes(CpuKernels candidate) {
        try (Arena arena = Arena.ofConfined()) {
            return new SelfTest(candidate, arena).codes();
        }
    }

    private Optional<String> floats() {
        int n = 37;
        MemorySegment x = floats(MANY_TOKENS * n);
        MemorySegment weight = floats(n);
        for (DType type : DType.values()) {
            int cols = Math.max(1, n / type.blockSize()) * type.blockSize();
            boolean codes = type == DType.CODES_8 || type == DType.CODES_4;
            MemorySegment inputs = codes ? wholeNumbers(3 * n) : x; // others may be rounded to 16 bits
            Optional<String> difference = matmul(type, cols, 1, inputs).or(() -> matmul(type, cols, 3, inputs));
            if (difference.isPresent()) {
                return difference;
            }
        }
        Optional<String> prefill = matmul(DType.F16, 19, MANY_TOKENS, x);
        if (prefill.isPresent()) {
            return prefill;
        }
        MemorySegment keys = halves(11 * n);
        MemorySegment values = halves(11 * n);
        MemorySegment scores = floats(2 * 11);
        return compare("attention", 2 * n, (k, y) -> k.attention(x, 2, n, keys, values, DType.F16, 11, 0.2f, scores, y))
                .or(() -> compare("rmsNorm", n, (k, y) -> k.rmsNorm(x, weight, 1e-5f, n, y)))
                .or(() -> compare(
                        "rope", 3 * 14, (k, y) -> k.rope(y.copyFrom(x.asSlice(0, y.byteSize())), 3, 14, weight)))
                .or(() -> compare("siluMul", n, (k, y) -> k.siluMul(y.copyFrom(weight), x, n)))
                .or(() -> compare("add", n, (k, y) -> k.add(y.copyFrom(weight), x, n)))
                .or(() -> compare("store", n, (k, y) -> k.store(x, DType.F32, n, y)));
    }

    private Optional<String> codes() {
        MemorySegment x = floats(3 * 16);
        return codeAttention(4)
                .or(() -> codeAttention(8))
                .or(() -> compare("hadamard", 3 * 16, (k, y) -> k.hadamard(y.copyFrom(x), TRANSFORM, 3)))
                .or(() -> compare("scale", 1, (k, y) -> y.set(FLOAT, 0, k.scale(x, 37, FOUR_BITS))));
    }

    private Optional<String> matmul(DType type, int cols, int tokens, MemorySegment x) {
        WeightMatrix w = new WeightMatrix(type, ROWS, cols, weights(type, (long) ROWS * cols));
        String operation = "matmul " + type + " of " + tokens + " tokens";
        return compare(operation, ROWS * tokens, (k, y) -> k.matmul(w, 0, ROWS, x, tokens, y));
    }

    /** Two tokens of three query heads, over more than a tile; what is stored is attended. */
    private Optional<String> codeAttention(int bits) {
        int headDim = 18;
        int positions = 19;
        KvTiles tiles = new KvTiles(new KvQuantizer(bits, headDim));
        MemorySegment q = floats(2 * 3 * headDim);
        MemorySegment keys = floats(positions * headDim);
        MemorySegment values = floats(positions * headDim);
        return compare("attention over " + bits + "-bit codes", 2 * 3 * headDim, (k, y) -> {
            MemorySegment keyTiles = arena.allocate(tiles.bytes(positions), 64);
            MemorySegment valueTiles = arena.allocate(tiles.bytes(positions), 64);
            MemorySegment results = arena.allocate(FLOAT, 2 * 3 * (headDim + 2));
            k.storeCodes(tiles, false, keys, headDim, positions, 1, keyTiles, 0, 0);
            k.storeCodes(tiles, true, values, headDim, positions, 1, valueTiles, 0, 0);
            int seen = positions - 1;
            k.attendCodes(tiles, q, 2, 3, 3 * headDim, keyTiles, valueTiles, seen, 0, positions, 0.2f, results);
            k.mergeAttention(results, 1, 2, 3, headDim, y, 3 * headDim);
        });
    }

    private Optional<String> compare(String operation, int results, BiConsumer<CpuKernels, MemorySegment> call) {
        MemorySegment expected = arena.allocate(FLOAT, results);
        MemorySegment actual = arena.allocate(FLOAT, results);
        call.accept(reference, expected);
        call.accept(candidate, actual);
        for (int i = 0; i < results; i++) {
            float e = expected.getAtIndex(FLOAT, i);
            float a = actual.getAtIndex(FLOAT, i);
            if (!(Math.abs(a - e) <= TOLERANCE * Math.max(1, Math.abs(e)))) {
                return Optional.of(operation + " gives " + a + " for " + e + " at " + i);
            }
        }
        return Optional.empty();
    }

    private MemorySegment floats(int n) {
        MemorySegment memory = arena.allocate(FLOAT, n);
        for (int i = 0; i < n; i++) {
            memory.setAtIndex(FLOAT, i, random.nextFloat() - 0.5f);
        }
        return memory;
    }

    private MemorySegment wholeNumbers(int n) {
        MemorySegment memory = arena.allocate(FLOAT, n);
        for (int i = 0; i < n; i++) {
            memory.setAtIndex(FLOAT, i, random.nextInt(-127, 128));
        }
        return memory;
    }

    private MemorySegment halves(int n) {
        return weights(DType.F16, n);
    }

    /** Random codes under small scales; bytes of plain types are those of floats of order one. */
    private MemorySegment weights(DType type, long count) {
        MemorySegment memory = arena.allocate(type.bytes(count));
        byte[] noise = new byte[(int) memory.byteSize()];
        random.nextBytes(noise);
        MemorySegment.copy(noise, 0, memory, ValueLayout.JAVA_BYTE, 0, noise.length);
        for (long at = 0; at < memory.byteSize(); at += type.blockBytes()) {
            switch (type) {
                case F32 -> memory.set(FLOAT, at, random.nextFloat() - 0.5f);
                case BF16 -> memory.set(ValueLayout.JAVA_BYTE, at + 1, (byte) (random.nextBoolean() ? 0x3e : 0xbe));
                case F16 -> half(memory, at, random.nextFloat() - 0.5f);
                case Q8_0, Q4_0 -> half(memory, at, 0.01f);
                case Q4_1 -> {
                    half(memory, at, 0.05f);
                    half(memory, at + 2, -0.3f);
                }
                case Q4_K -> {
                    half(memory, at, 0.001f);
                    half(memory, at + 2, 0.01f);
                }
                case Q6_K -> half(memory, at + 208, 0.0002f);
                case CODES_8, CODES_4 -> {} // any bits will do
            }
        }
        return memory;
    }

    private static void half(MemorySegment memory, long at, float value) {
        memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(value));
    }
}
