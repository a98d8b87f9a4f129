package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.NativeBinding.InstructionSet;
import dev.obr.kernels.cpu.Trial.Outcome;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The kernels in C ({@code kernels/src/main/c}), called through the foreign function interface: about 10 ns a call.
 *
 * <p>Segments must be native memory (a mapped file, or from an arena), not arrays on the heap. Sizes are checked before each call: a segment that is too short is an
 * {@link IndexOutOfBoundsException} here as well.
 */
public final class NativeKernels implements CpuKernels {
    private final NativeBinding c;
    private final InstructionSet set;
    private final SymbolLookup library;
    private final CpuCap cap;
    private PackedKernels.@Nullable Choice
            packed; // looked for when first asked, as what follows: most models need none
    private volatile @Nullable CodesBinding codes;

    private NativeKernels(NativeBinding c, InstructionSet set, SymbolLookup library, CpuCap cap) {
        this.c = c;
        this.set = set;
        this.library = library;
        this.cap = cap;
    }

    /**
     * What loading found.
     *
     * @param usable one instance per instruction set that this machine runs, the cap allows and whose results were right, fastest first; never empty
     * @param refusals for each other instruction set that was tried and that the cap allows, a phrase that says why not
     */
    record Loaded(List<NativeKernels> usable, List<String> refusals) {}

    /**
     * Extracts and opens the library, and tries the machine's instruction sets on {@link SelfTest}'s cases, fastest first, before they are trusted.
     *
     * @param most how many usable ones to look for: one is enough to compute with
     * @param cap the most that may be used, of integer kernels ({@link #packed}) too
     * @param environment where OBR_CACHE and XDG_CACHE_HOME are looked up
     * @throws ObrException if nothing is usable; the sentence says why
     */
    static Loaded load(int most, CpuCap cap, Map<String, String> environment) {
        List<Trial<NativeKernels>> trials = trials(library(environment), cap, most);
        List<NativeKernels> usable = Trial.usable(trials);
        List<String> refusals =
                Trial.refusals(trials, cap, Outcome.ABSENT, Outcome.DISABLED, Outcome.NOT_COMPILED, Outcome.WRONG);
        if (usable.isEmpty()) {
            throw new ObrException(String.join("; ", refusals));
        }
        return new Loaded(usable, refusals);
    }

    /** The library, extracted and opened. */
    static SymbolLookup library(Map<String, String> environment) {
        return NativeLibrary.open(NativeLibrary.cacheFolders(environment));
    }

    /** Tries the instruction sets of these kernels until {@code most} work; where one is enough, what it makes of codes is tried when they first come ({@link #codes}). */
    static List<Trial<NativeKernels>> trials(SymbolLookup library, CpuCap cap, int most) {
        return Trial.of(List.of(InstructionSet.values()), cap, most, new Trial.Subject<>() {
            @Override
            public Trial.Support support(InstructionSet set) {
                return NativeBinding.support(library, set);
            }

            @Override
            public NativeKernels bind(InstructionSet set) {
                return new NativeKernels(new NativeBinding(library, set), set, library, cap);
            }

            @Override
            public Optional<String> firstDifference(NativeKernels kernels) {
                Optional<String> difference = SelfTest.firstDifference(kernels);
                return most == 1
                        ? difference
                        : difference.or(() -> kernels.differenceOf(new CodesBinding(library, kernels.set)));
            }
        });
    }

    @Override
    public String name() {
        return "native";
    }

    @Override
    public String instructionSet() {
        return set.description();
    }

    @Override
    public synchronized PackedKernels.Choice packed() {
        if (packed == null) {
            packed = NativePackedKernels.choose(library, cap);
        }
        return packed;
    }

    /** What computes on codes, tried before its first use: a library that computes wrongly there has not been asked to before. */
    private CodesBinding codes() {
        CodesBinding bound = codes;
        return bound == null ? triedCodes() : bound;
    }

    private synchronized CodesBinding triedCodes() {
        CodesBinding bound = codes;
        if (bound == null) {
            bound = new CodesBinding(library, set);
            differenceOf(bound).ifPresent(difference -> {
                throw new ObrException("the native kernels compute wrongly on this machine (" + set.description() + ": "
                        + difference + "); -Dobr.kernels=vector computes without them");
            });
            codes = bound;
        }
        return bound;
    }

    private Optional<String> differenceOf(CodesBinding bound) {
        NativeKernels untried = new NativeKernels(c, set, library, cap);
        untried.codes = bound;
        return SelfTest.firstDifferenceOfCodes(untried);
    }

    @Override
    public void matmul(WeightMatrix w, int from, int to, MemorySegment x, int tokens, MemorySegment y) {
        Objects.checkFromToIndex(from, to, w.rows());
        checkFloats(x, (long) tokens * w.cols());
        checkFloats(y, (long) tokens * w.rows());
        c.matmul(w.type(), w.memory(), w.rowBytes(), w.cols(), from, to, x, tokens, y, w.rows());
    }

    @Override
    public void dequantizeRow(WeightMatrix w, int row, MemorySegment y) {
        Objects.checkIndex(row, w.rows());
        checkFloats(y, w.cols());
        c.dequantize(w.type(), w.row(row), w.cols(), y);
    }

    @Override
    public void rmsNorm(MemorySegment x, MemorySegment weight, float eps, int n, MemorySegment y) {
        checkFloats(x, n);
        checkFloats(weight, n);
        checkFloats(y, n);
        c.rmsNorm(x, weight, eps, n, y);
    }

    @Override
    public void rope(MemorySegment x, int heads, int headDim, MemorySegment cosSin) {
        checkFloats(x, (long) heads * headDim);
        checkFloats(cosSin, headDim);
        c.rope(x, heads, headDim, cosSin);
    }

    @Override
    public void hadamard(MemorySegment x, HadamardTransform transform, int width) {
        checkFloats(x, (long) transform.size() * width);
        codes().hadamard(x, transform.size(), width, transform.factor());
    }

    @Override
    public void attention(
            MemorySegment q,
            int group,
            int headDim,
            MemorySegment keys,
            MemorySegment values,
            DType kv,
            int positions,
            float scale,
            MemorySegment scores,
            MemorySegment out) {
        checkCached(kv);
        checkFloats(q, (long) group * headDim);
        checkBytes(keys, kv.bytes((long) positions * headDim));
        checkBytes(values, kv.bytes((long) positions * headDim));
        checkFloats(scores, (long) group * positions);
        checkFloats(out, (long) group * headDim);
        c.attention(q, group, headDim, keys, values, kv, positions, scale, scores, out);
    }

    @Override
    public float scale(MemorySegment x, int n, ActivationQuantizer quantizer) {
        checkFloats(x, n);
        return quantizer.scale(new ActivationQuantizer.Token() {
            @Override
            public float largest() {
                return codes().largest(x, n);
            }

            @Override
            public double squaredError(float scale, int most) {
                return codes().codeError(x, n, scale, most);
            }
        });
    }

    @Override
    public void storeCodes(
            KvTiles tiles,
            boolean values,
            MemorySegment x,
            int stride,
            int tokens,
            int heads,
            MemorySegment memory,
            long headBytes,
            int position) {
        checkRows(x, tokens, stride, heads * tiles.headDim());
        Objects.checkIndex(position, Integer.MAX_VALUE - tokens);
        checkBytes(memory, (heads - 1) * headBytes + tiles.bytes(position + tokens));
        codes().storeCodes(tiles, values, x, stride, tokens, heads, memory, headBytes, position);
    }

    @Override
    public void attendCodes(
            KvTiles tiles,
            MemorySegment q,
            int tokens,
            int group,
            int stride,
            MemorySegment keys,
            MemorySegment values,
            int first,
            int from,
            int to,
            float scale,
            MemorySegment results) {
        if (from < 0 || from % KvTiles.BLOCK != 0 || to <= from) {
            throw new IllegalArgumentException("positions " + from + " to " + to);
        }
        checkRows(q, tokens, stride, group * tiles.headDim());
        checkBytes(keys, tiles.bytes(to));
        checkBytes(values, tiles.bytes(to));
        checkFloats(results, (long) tokens * group * (tiles.headDim() + 2));
        codes().attendCodes(tiles, q, tokens, group, stride, keys, values, first, from, to, scale, results);
    }

    @Override
    public void mergeAttention(
            MemorySegment results, int spans, int tokens, int group, int headDim, MemorySegment out, int stride) {
        checkFloats(results, (long) spans * tokens * group * (headDim + 2));
        checkRows(out, tokens, stride, group * headDim);
        codes().mergeAttention(results, spans, tokens, group, headDim, out, stride);
    }

    @Override
    public void siluMul(MemorySegment gate, MemorySegment up, long n) {
        checkFloats(gate, n);
        checkFloats(up, n);
        c.siluMul(gate, up, n);
    }

    @Override
    public void add(MemorySegment x, MemorySegment y, long n) {
        checkFloats(x, n);
        checkFloats(y, n);
        c.add(x, y, n);
    }

    @Override
    public void store(MemorySegment x, DType type, int n, MemorySegment y) {
        checkCached(type);
        checkFloats(x, n);
        checkBytes(y, type.bytes(n));
        c.store(x, type, n, y);
    }

    @Override
    public long read(MemorySegment memory) {
        return c.read(memory, memory.byteSize() / Long.BYTES);
    }

    private static void checkCached(DType type) {
        if (type != DType.F32 && type != DType.F16) {
            throw new IllegalArgumentException("keys and values are cached as F32 or F16, not " + type);
        }
    }

    private static void checkRows(MemorySegment segment, int rows, int stride, int used) {
        checkFloats(segment, (rows - 1L) * stride + used);
    }

    private static void checkFloats(MemorySegment segment, long n) {
        checkBytes(segment, n * Float.BYTES);
    }

    private static void checkBytes(MemorySegment segment, long bytes) {
        Objects.checkFromIndexSize(0, bytes, segment.byteSize());
    }
}
