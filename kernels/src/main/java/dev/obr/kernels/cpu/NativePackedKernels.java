package dev.obr.kernels.cpu;

import dev.obr.kernels.cpu.PackedBinding.InstructionSet;
import dev.obr.kernels.cpu.Trial.Outcome;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The integer kernels in C ({@code packed*.c}), called through the foreign function interface.
 *
 * <p>Segments must be native memory. Sizes are checked before each call: a segment that is too short is an {@link IndexOutOfBoundsException}.
 */
final class NativePackedKernels implements PackedKernels {
    private final PackedBinding c;
    private final InstructionSet set;

    private NativePackedKernels(PackedBinding c, InstructionSet set) {
        this.c = c;
        this.set = set;
    }

    /** The fastest instruction set that this machine runs, {@code cap} allows and whose results are right on {@link PackedSelfTest}'s cases. */
    static Choice choose(SymbolLookup library, CpuCap cap) {
        List<Trial<NativePackedKernels>> trials = trials(library, cap, 1);
        List<String> notable = Trial.refusals(trials, cap, Outcome.WRONG, Outcome.DISABLED, Outcome.NOT_COMPILED);
        List<NativePackedKernels> usable = Trial.usable(trials);
        if (!usable.isEmpty()) {
            Choice choice = Choice.of(usable.getFirst());
            return notable.isEmpty()
                    ? choice
                    : new Choice(choice.kernels(), choice.reason() + "; " + String.join("; ", notable));
        }
        if (notable.isEmpty()) {
            boolean capped = trials.stream().anyMatch(trial -> trial.outcome() == Outcome.CAPPED);
            return Choice.none(capped ? "capped at " + cap : "this machine has no instructions for them");
        }
        return Choice.none(String.join("; ", notable));
    }

    /** Tries the instruction sets of integer kernels until {@code most} work. */
    static List<Trial<NativePackedKernels>> trials(SymbolLookup library, CpuCap cap, int most) {
        return Trial.of(List.of(InstructionSet.values()), cap, most, new Trial.Subject<>() {
            @Override
            public Trial.Support support(InstructionSet set) {
                return PackedBinding.support(library, set);
            }

            @Override
            public NativePackedKernels bind(InstructionSet set) {
                return new NativePackedKernels(new PackedBinding(library, set), set);
            }

            @Override
            public Optional<String> firstDifference(NativePackedKernels kernels) {
                return PackedSelfTest.firstDifference(kernels);
            }
        });
    }

    @Override
    public String instructionSet() {
        return set.description();
    }

    @Override
    public SegmentAllocator weightMemory(Arena arena) {
        return new WeightMemory(c, arena);
    }

    @Override
    public PackedLayout allocate(PackedMatrix weight, SegmentAllocator memory) {
        int rows = weight.rows();
        MemorySegment scales = memory.allocate(ValueLayout.JAVA_FLOAT, rows);
        for (int r = 0; r < rows; r++) {
            scales.setAtIndex(ValueLayout.JAVA_FLOAT, r, weight.scale(r));
        }
        PackedMatrix readable = readable(weight, memory);
        long bytes = c.size(weight.pattern(), rows, weight.cols(), readable.index());
        return new PackedLayout(
                readable, memory.allocate(bytes, 64), memory.allocate(ValueLayout.JAVA_INT, rows), scales);
    }

    /** The weight itself, or a copy outside of the heap. */
    private static PackedMatrix readable(PackedMatrix weight, SegmentAllocator memory) {
        if (weight.codes().isNative() && weight.index().isNative()) {
            return weight;
        }
        return new PackedMatrix(
                weight.pattern(),
                weight.bits(),
                weight.rows(),
                weight.cols(),
                copy(weight.codes(), memory),
                copy(weight.index(), memory),
                weight.scales());
    }

    private static MemorySegment copy(MemorySegment part, SegmentAllocator memory) {
        return memory.allocate(part.byteSize()).copyFrom(part);
    }

    @Override
    public void layOut(PackedLayout layout, int from, int to) {
        checkRows(layout, from, to);
        PackedMatrix weight = layout.weight();
        c.lay(
                weight.pattern(),
                weight.rows(),
                weight.cols(),
                from,
                to,
                weight.codes(),
                weight.index(),
                layout.memory(),
                layout.sums());
    }

    @Override
    public void forgetFile(MemorySegment memory) {
        if (memory.isMapped()) {
            c.forget(memory);
        }
    }

    @Override
    public long inputBytes(Pattern pattern, int cols) {
        return c.inputSize(pattern, cols);
    }

    @Override
    public void code(
            Pattern pattern,
            int cols,
            MemorySegment x,
            float scale,
            ActivationQuantizer quantizer,
            MemorySegment input) {
        checkBytes(x, (long) cols * Float.BYTES);
        checkBytes(input, inputBytes(pattern, cols));
        c.input(pattern, cols, x, scale, quantizer.most(), input);
    }

    @Override
    public void matmul(
            PackedLayout w,
            int from,
            int to,
            MemorySegment inputs,
            MemorySegment inputScales,
            int tokens,
            MemorySegment y) {
        checkRows(w, from, to);
        checkBytes(inputs, tokens * inputBytes(w.pattern(), w.cols()));
        checkBytes(inputScales, (long) tokens * Float.BYTES);
        checkBytes(y, (long) tokens * w.rows() * Float.BYTES);
        c.matmul(
                w.pattern(),
                w.rows(),
                w.cols(),
                from,
                to,
                w.memory(),
                w.sums(),
                w.scales(),
                inputs,
                inputScales,
                tokens,
                y,
                w.rows());
    }

    private static void checkRows(PackedLayout w, int from, int to) {
        Objects.checkFromToIndex(from, to, w.rows());
        if (from % GRAIN != 0 || to % GRAIN != 0 && to != w.rows()) {
            throw new IllegalArgumentException(
                    "rows " + from + " to " + to + " of " + w.rows() + " are no whole panels of " + GRAIN);
        }
    }

    private static void checkBytes(MemorySegment segment, long bytes) {
        Objects.checkFromIndexSize(0, bytes, segment.byteSize());
    }
}
