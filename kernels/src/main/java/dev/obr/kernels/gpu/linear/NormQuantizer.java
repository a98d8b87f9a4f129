package dev.obr.kernels.gpu.linear;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Launches RMS norm and activation codes: {@code rmsnorm_quant_*}. What they compute is {@link ScalarNormQuantizer}. */
public final class NormQuantizer implements AutoCloseable {
    /** Type of the activations that come in. */
    public enum Input {
        F16(2),
        F32(4);

        private final int bytes;

        Input(int bytes) {
            this.bytes = bytes;
        }

        /** Bytes of one activation. */
        public int bytes() {
            return bytes;
        }
    }

    /** Columns of one token at most: what the registers of 1024 threads hold. */
    public static final int MOST_COLUMNS = 32768;

    static final int UNIT = 8; // columns that a thread takes at once
    static final int UNITS = 4; // of one thread at most

    private final Input input;
    private final TokenLayout layout;
    private final GpuModule module;
    private final GpuKernel kernel;

    /** @param layout of the codes */
    public NormQuantizer(GpuDevice device, Input input, TokenLayout layout) {
        this.input = input;
        this.layout = layout;
        this.module = KernelModule.RMSNORM_QUANT.load(device);
        this.kernel = module.kernel(KernelModule.RMSNORM_QUANT.label() + "_"
                + input.name().toLowerCase(Locale.ROOT) + "_s" + layout.bits());
    }

    /** Threads of a block; the order in which sums are taken follows from it. */
    public static int threads(int columns) {
        return columns <= 256 * UNIT * UNITS ? 256 : 1024;
    }

    /**
     * Queues the codes of {@code tokens} rows of {@code columns} activations.
     *
     * @param quantizer of at most the layout's bits
     * @param x [tokens, columns]
     * @param weight float32 [columns] of the norm; without, x is coded as it is
     * @param eps of the norm
     * @param order of the codes' columns; without, that of x
     * @param codes {@code tokens} rows in the layout; what is beyond the columns becomes 0
     * @param scales float32 [tokens]
     */
    public void quantize(
            GpuStream stream,
            ActivationQuantizer quantizer,
            GpuMemory x,
            @Nullable GpuMemory weight,
            float eps,
            int tokens,
            int columns,
            @Nullable InputOrder order,
            GpuMemory codes,
            GpuMemory scales) {
        if (quantizer.bits() > layout.bits()) {
            throw new ObrException(quantizer.bits() + "-bit codes do not fit rows of " + layout.bits() + "-bit codes");
        }
        if (tokens < 1 || columns < UNIT || columns % UNIT != 0 || columns > MOST_COLUMNS) {
            throw new ObrException(tokens + " tokens of " + columns
                    + " activations are to be coded; at least 1 token and a multiple of " + UNIT + " activations up to "
                    + MOST_COLUMNS + " can be");
        }
        x.requireBytes("activations", (long) tokens * columns * input.bytes());
        codes.requireBytes("codes", (long) tokens * layout.rowBytes(columns));
        scales.requireBytes("scales", 4L * tokens);
        if (weight != null) {
            weight.requireBytes("weight", 4L * columns);
        }
        if (order != null) {
            order.check(columns);
        }
        KernelArguments arguments = new KernelArguments()
                .pointer(x)
                .optional(weight)
                .f32(eps)
                .i32(quantizer.most())
                .f32(quantizer.bits() == 4 ? quantizer.clip() : 1) // 0, a search, is the kernels' word for it too
                .optional(order == null ? null : order.memory())
                .pointer(codes)
                .pointer(scales)
                .i32(columns)
                .i32(layout.rowBytes(columns));
        int sharedBytes = order == null ? 0 : order.sharedBytes();
        stream.launch(kernel, LaunchShape.of(tokens, threads(columns), sharedBytes), arguments);
    }

    @Override
    public void close() {
        module.close();
    }
}
