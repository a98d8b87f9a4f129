package dev.obr.bench.gpu;

import dev.obr.bench.RandomMatrix;
import dev.obr.bench.roofline.ProductKernel;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.linear.HalfGemm;
import dev.obr.kernels.gpu.linear.SparseFragments;
import dev.obr.kernels.gpu.linear.SparseGemm;
import dev.obr.kernels.gpu.linear.SparseWeights;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The products of one layer's weights on a GPU, each kernel with weights of its own in so many copies that none is still in L2 when its turn comes again: a model of many layers finds its weights in memory, too.
 *
 * <p>Weights and activations are random; copies are equal, for caches go by address.
 */
public final class ProductBench implements AutoCloseable {
    /** Weights between two uses of one copy: five times the largest L2 of these GPUs, 72 MB. */
    public static final long ROTATED_BYTES = 360L << 20;

    /** Tokens up to which weights under any mask are measured: their kernel is for few. */
    private static final int MOST_BITMAP_TOKENS = 256;

    private static final int NOISE_BYTES = 1 << 20;
    private static final float STEP = 0.006f; // of the weights
    private static final long SEED = 1;

    /** A product of half floats that is not ours. */
    public interface Library {
        /** Queues y [tokens, features] = W [features, columns] . x [tokens, columns]. */
        void multiply(GpuStream stream, GpuMemory w, GpuMemory x, int tokens, int features, int columns, GpuMemory y);
    }

    private final GpuDevice device;
    private final @Nullable Library cublas;
    private final List<Rival> rivals;
    private final List<String> refusals = new ArrayList<>();
    private final GpuStream stream;
    private final int features;
    private final int columns;
    private final long rotatedBytes;
    private final List<ProductKernel> kernels;
    private final HalfGemm halfGemm;
    private final Map<ProductKernel, SparseGemm> gemms = new EnumMap<>(ProductKernel.class);
    private final Map<Pattern, List<SparseWeights>> weights = new EnumMap<>(Pattern.class);
    private final List<GpuMemory> halves = new ArrayList<>();

    /**
     * Loads the weights.
     *
     * @param cublas where the library is there
     */
    public ProductBench(GpuDevice device, @Nullable Library cublas, int features, int columns) {
        this(device, cublas, List.of(), features, columns, ROTATED_BYTES);
    }

    /**
     * Loads the weights.
     *
     * @param cublas where the library is there
     * @param rivals with weights of the same shape; they are the caller's
     * @param rotatedBytes weights between two uses of one copy
     */
    public ProductBench(
            GpuDevice device,
            @Nullable Library cublas,
            List<Rival> rivals,
            int features,
            int columns,
            long rotatedBytes) {
        this.rivals = rivals;
        this.cublas = cublas;
        this.device = device;
        this.stream = device.newStream();
        this.features = features;
        this.columns = columns;
        this.rotatedBytes = rotatedBytes;
        this.kernels = kernelsOf(device);
        this.halfGemm = new HalfGemm(device, HalfGemm.Output.F16);
        for (int copy = 0; copy < copies(halfBytes()); copy++) {
            GpuMemory half = device.allocate(halfBytes());
            halves.add(half);
            fill(half, halves(new Random(SEED)));
        }
        for (ProductKernel kernel : kernels) {
            Pattern pattern = kernel.pattern();
            if (pattern != null) {
                gemms.put(kernel, new SparseGemm(device, pattern, Objects.requireNonNull(kernel.layout())));
                weights.computeIfAbsent(pattern, this::load);
            }
        }
        stream.synchronize();
    }

    /** What all of them take at most: of each pattern as many copies as come to the bytes that are rotated, the last one not by half. */
    public static long weightBytes(GpuDevice device, int features, int columns) {
        long patterns = kernelsOf(device).stream()
                .map(ProductKernel::pattern)
                .distinct()
                .count();
        return patterns * (ROTATED_BYTES + 2L * features * columns);
    }

    /** What the activations and results of so many tokens take: half floats, codes of 8 and of 4 bits, scales. */
    public long activationBytes(int tokens) {
        return (long) tokens
                * (2L * columns + codeBytes(TokenLayout.INT8) + codeBytes(TokenLayout.INT4) + 4 + 2L * features);
    }

    private long codeBytes(TokenLayout layout) {
        return layout.rowBytes(columns);
    }

    private static List<ProductKernel> kernelsOf(GpuDevice device) {
        return Arrays.stream(ProductKernel.values())
                .filter(kernel -> kernel.layout() != TokenLayout.INT4
                        || device.capability().multipliesInt4())
                .toList();
    }

    private long halfBytes() {
        return 2L * features * columns;
    }

    private int copies(long bytes) {
        return Math.toIntExact(Math.ceilDiv(rotatedBytes, bytes));
    }

    private List<SparseWeights> load(Pattern pattern) {
        List<SparseWeights> copies = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            PackedMatrix matrix = RandomMatrix.packed(pattern, 4, features, columns, STEP, SEED);
            SparseFragments fragments = SparseFragments.of(matrix, arena);
            copies.add(SparseWeights.upload(fragments, device, stream));
            stream.synchronize();
        }
        SparseWeights first = copies.getFirst();
        long bytes = first.memory().byteSize();
        while (copies.size() < copies(bytes)) {
            GpuMemory memory = device.allocate(bytes);
            stream.copy(first.memory(), 0, memory, 0, bytes);
            copies.add(new SparseWeights(pattern, features, columns, memory, first.keptOffset(), first.scalesOffset()));
        }
        return copies;
    }

    /**
     * Measures all kernels with so many tokens.
     *
     * @param protocol how often, by which clock
     */
    public List<ProductRow> measure(Interleaved<Timed> protocol, int tokens) {
        ProductSize size = new ProductSize(tokens, features, columns);
        List<Variant> variants = new ArrayList<>();
        Map<TokenLayout, GpuMemory> codes = new EnumMap<>(TokenLayout.class);
        try (GpuMemory x = device.allocate(2L * tokens * columns);
                GpuMemory xs = device.allocate(4L * tokens);
                GpuMemory y = device.allocate(2L * tokens * features)) {
            Random random = new Random(SEED);
            fill(x, halves(random));
            fill(xs, scales(random));
            for (ProductKernel kernel : kernels) {
                if (kernel == ProductKernel.HALF) {
                    addHalves(size, x, y, variants);
                } else if (kernel != ProductKernel.BITMAP_INT8 || tokens <= MOST_BITMAP_TOKENS) {
                    TokenLayout layout = Objects.requireNonNull(kernel.layout());
                    GpuMemory rows = codes.computeIfAbsent(layout, any -> codes(any, tokens, random));
                    variants.add(packed(size, kernel, rows, xs, y));
                }
            }
            addRivals(size, x, y, variants);
            stream.synchronize();
            List<Sample> samples = measure(protocol, variants);
            List<ProductRow> rows = new ArrayList<>();
            for (int i = 0; i < variants.size(); i++) {
                rows.add(variants.get(i).row(samples.get(i)));
            }
            return rows;
        } finally {
            codes.values().forEach(GpuMemory::close);
        }
    }

    private static List<Sample> measure(Interleaved<Timed> protocol, List<Variant> variants) {
        try {
            return protocol.measure(variants);
        } finally {
            variants.forEach(Variant::close);
        }
    }

    private void addHalves(ProductSize size, GpuMemory x, GpuMemory y, List<Variant> variants) {
        int tokens = size.tokens();
        variants.add(Variant.ours(
                size,
                ProductKernel.HALF,
                "FP16 dense",
                halfBytes(),
                x.byteSize(),
                (queue, turn) ->
                        halfGemm.multiply(queue, halves.get(turn % halves.size()), x, tokens, features, columns, y)));
        Library library = cublas;
        if (library != null) {
            variants.add(new Variant(
                    size,
                    null,
                    "FP16 dense, cuBLAS",
                    true,
                    false,
                    halfBytes(),
                    x.byteSize(),
                    (queue, turn) ->
                            library.multiply(queue, halves.get(turn % halves.size()), x, tokens, features, columns, y),
                    () -> {}));
        }
    }

    private Variant packed(ProductSize size, ProductKernel kernel, GpuMemory x, GpuMemory xs, GpuMemory y) {
        SparseGemm gemm = Objects.requireNonNull(gemms.get(kernel));
        List<SparseWeights> copies = Objects.requireNonNull(weights.get(Objects.requireNonNull(kernel.pattern())));
        return Variant.ours(
                size,
                kernel,
                "INT4 " + kernel.pattern() + ", A"
                        + Objects.requireNonNull(kernel.layout()).bits(),
                copies.getFirst().memory().byteSize(),
                x.byteSize(),
                (queue, turn) ->
                        gemm.multiply(queue, copies.get(turn % copies.size()), x, xs, size.tokens(), null, null, y));
    }

    /** What rivals refuse is said, not measured. */
    private void addRivals(ProductSize size, GpuMemory x, GpuMemory y, List<Variant> variants) {
        for (Rival rival : rivals) {
            try {
                Rival.Ready ready = rival.with(stream, x, size.tokens(), y);
                variants.add(new Variant(
                        size,
                        null,
                        rival.name(),
                        false,
                        false,
                        rival.weightBytes(),
                        x.byteSize(),
                        ready::queue,
                        ready::close));
            } catch (ObrException e) {
                refusals.add(rival.name() + " with " + size.tokens() + " tokens is left out: " + e.getMessage());
            }
        }
    }

    /** Why a rival's product was not measured, for each. */
    public List<String> refusals() {
        return List.copyOf(refusals);
    }

    private GpuMemory codes(TokenLayout layout, int tokens, Random random) {
        GpuMemory rows = device.allocate(tokens * codeBytes(layout));
        byte[] noise = new byte[NOISE_BYTES];
        random.nextBytes(noise);
        fill(rows, MemorySegment.ofArray(noise));
        return rows;
    }

    private static MemorySegment halves(Random random) {
        short[] noise = new short[NOISE_BYTES / Short.BYTES];
        for (int i = 0; i < noise.length; i++) {
            noise[i] = Float.floatToFloat16((float) random.nextGaussian() * 0.05f);
        }
        return MemorySegment.ofArray(noise);
    }

    private static MemorySegment scales(Random random) {
        float[] noise = new float[NOISE_BYTES / Float.BYTES];
        for (int i = 0; i < noise.length; i++) {
            noise[i] = (random.nextFloat() + 0.5f) / 128;
        }
        return MemorySegment.ofArray(noise);
    }

    /** Copies noise to the beginning, then what is there behind itself. */
    private void fill(GpuMemory memory, MemorySegment noise) {
        long filled = Math.min(noise.byteSize(), memory.byteSize());
        stream.copyIn(noise.asSlice(0, filled), memory, 0);
        while (filled < memory.byteSize()) {
            long more = Math.min(filled, memory.byteSize() - filled);
            stream.copy(memory, 0, memory, filled, more);
            filled += more;
        }
    }

    @Override
    public void close() {
        weights.values().forEach(copies -> copies.forEach(SparseWeights::close));
        halves.forEach(GpuMemory::close);
        gemms.values().forEach(SparseGemm::close);
        halfGemm.close();
        stream.close();
    }
}
