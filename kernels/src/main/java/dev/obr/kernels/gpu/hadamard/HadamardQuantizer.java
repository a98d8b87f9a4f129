package dev.obr.kernels.gpu.hadamard;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.InputOrder;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.hadamard.HadamardMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Launches one Hadamard transform and activation codes behind it: {@code hadamard_quant_*}. What they compute is {@link ScalarHadamardQuantizer}. */
public final class HadamardQuantizer implements AutoCloseable {
    /** Columns of one token at most: 64 KB of shared memory. */
    public static final int MOST_COLUMNS = 16384;

    private static final int ROWS = 4; // of the matrix that a thread makes at once
    private static final int PAIRS_A_WORD = 16;

    private final NormQuantizer.Input input;
    private final TokenLayout layout;
    private final HadamardTransform transform;
    private final int width;
    private final GpuModule module;
    private final GpuKernel kernel;
    private final @Nullable GpuMemory signs;

    /**
     * @param stream by which the transform's matrix goes to the device
     * @param layout of the codes
     * @param transform that of 1 component leaves {@code silu(gate) · up} as it is
     * @param width columns that each component of the transform has: 1, or the components of a head for a transform across heads; a power of two, or all where there is no transform
     */
    public HadamardQuantizer(
            GpuDevice device,
            GpuStream stream,
            NormQuantizer.Input input,
            TokenLayout layout,
            HadamardTransform transform,
            int width) {
        boolean fits = transform.size() == 1 || Integer.bitCount(width) == 1;
        if (!fits || (long) transform.size() * width > MOST_COLUMNS) {
            throw new ObrException("a Hadamard transform of " + transform.size() + " times " + width
                    + " columns is asked for; a power of two of columns each can be, up to " + MOST_COLUMNS
                    + " in all");
        }
        this.input = input;
        this.layout = layout;
        this.transform = transform;
        this.width = width;
        this.module = KernelModule.HADAMARD_QUANT.load(device);
        this.kernel = module.kernel(KernelModule.HADAMARD_QUANT.label() + "_"
                + input.name().toLowerCase(Locale.ROOT) + "_s" + layout.bits());
        kernel.allowSharedBytes(sharedBytes());
        this.signs = transform.factor().order() == 1 ? null : upload(device, stream, transform.factor());
    }

    private int columns() {
        return transform.size() * width;
    }

    private int sharedBytes() {
        return Math.ceilDiv(columns(), 32) * 32 * 4;
    }

    private static GpuMemory upload(GpuDevice device, GpuStream stream, HadamardMatrix matrix) {
        int[] words = words(matrix);
        GpuMemory memory = device.allocate(4L * words.length);
        stream.copyIn(MemorySegment.ofArray(words), memory, 0);
        stream.synchronize();
        return memory;
    }

    /**
     * The matrix by pairs of columns: [words of 16 pairs][K / 4][row r, r + K / 4, r + 2 K / 4, r + 3 K / 4]; of each pair the low bit says that its signs differ, the high one that the first
     * of them is minus.
     */
    static int[] words(HadamardMatrix matrix) {
        int order = matrix.order();
        int tiles = order / ROWS;
        int[] words = new int[Math.ceilDiv(order / 2, PAIRS_A_WORD) * order];
        for (int row = 0; row < order; row++) {
            for (int pair = 0; pair < order / 2; pair++) {
                int first = matrix.at(row, 2 * pair);
                int bits = (first != matrix.at(row, 2 * pair + 1) ? 1 : 0) | (first < 0 ? 2 : 0);
                int word = (pair / PAIRS_A_WORD * tiles + row % tiles) * ROWS + row / tiles;
                words[word] |= bits << pair % PAIRS_A_WORD * 2;
            }
        }
        return words;
    }

    /**
     * Queues the codes of {@code tokens} rows.
     *
     * @param quantizer of at most the layout's bits
     * @param gate of the same stride as {@code x}, or none: then x is what is transformed
     * @param arrangement of the codes' columns; without, that of x
     * @param codes {@code tokens} rows in the layout; what is beyond the columns becomes 0
     * @param scales float32 [tokens]
     */
    public void quantize(
            GpuStream stream,
            ActivationQuantizer quantizer,
            @Nullable Rows gate,
            Rows x,
            int tokens,
            @Nullable InputOrder arrangement,
            GpuMemory codes,
            GpuMemory scales) {
        if (quantizer.bits() > layout.bits()) {
            throw new ObrException(quantizer.bits() + "-bit codes do not fit rows of " + layout.bits() + "-bit codes");
        }
        if (tokens < 1) {
            throw new ObrException(tokens + " tokens are to be coded; at least 1 can be");
        }
        check("activations", x, tokens);
        if (gate != null) {
            check("gate", gate, tokens);
            if (gate.stride() != x.stride()) {
                throw new ObrException("the rows of gate and activations are " + gate.stride() + " and " + x.stride()
                        + " elements apart; they are taken together: use one stride");
            }
        }
        if (arrangement != null) {
            arrangement.check(columns());
        }
        Rows.of(codes, layout.rowBytes(columns())).check("codes", tokens, layout.rowBytes(columns()), 1);
        Rows.of(scales, 1).check("scales", tokens, 1, Float.BYTES);
        KernelArguments arguments = new KernelArguments().pointer(x.memory(), x.first() * input.bytes());
        if (gate == null) {
            arguments.nullPointer();
        } else {
            arguments.pointer(gate.memory(), gate.first() * input.bytes());
        }
        arguments.i32(x.stride()).optional(signs);
        int order = transform.factor().order();
        arguments
                .i32(order)
                .i32(Integer.numberOfTrailingZeros(columns() / order))
                .i32(Integer.numberOfTrailingZeros(width))
                .f32((float) (1 / Math.sqrt(transform.size())))
                .i32(quantizer.most())
                .f32(quantizer.bits() == 4 ? quantizer.clip() : 1) // 0, a search, is the kernels' word for it too
                .optional(arrangement == null ? null : arrangement.memory())
                .pointer(codes)
                .pointer(scales)
                .i32(columns())
                .i32(layout.rowBytes(columns()));
        stream.launch(kernel, LaunchShape.of(tokens, NormQuantizer.threads(columns()), sharedBytes()), arguments);
    }

    private void check(String what, Rows rows, int tokens) {
        rows.check(what, tokens, columns(), input.bytes());
        boolean wholeUnits = (columns() | rows.stride()) % 8 == 0;
        if (wholeUnits && rows.first() % 8 != 0) {
            throw new ObrException("rows of " + what + " begin at element " + rows.first()
                    + "; they are read by eights: begin at a multiple of 8");
        }
    }

    @Override
    public void close() {
        if (signs != null) {
            signs.close();
        }
        module.close();
    }
}
