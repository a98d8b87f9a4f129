package dev.obr.kernels.gpu.tokens;

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
import dev.obr.kernels.gpu.linear.NormQuantizer;
import java.util.Locale;

/** Launches the search of each row's largest logit, the first of equals: {@code argmax_*}. */
public final class Argmax implements AutoCloseable {
    private static final int THREADS = 1024;

    private final NormQuantizer.Input input;
    private final GpuModule module;
    private final GpuKernel kernel;

    /** @param input type of the logits */
    public Argmax(GpuDevice device, NormQuantizer.Input input) {
        this.input = input;
        this.module = KernelModule.ARGMAX.load(device);
        this.kernel = module.kernel("argmax_" + input.name().toLowerCase(Locale.ROOT));
    }

    /**
     * Queues the tokens of the largest logits.
     *
     * @param logits rows of at least {@code vocabulary} logits
     * @param tokens int32 [rows]
     */
    public void find(GpuStream stream, Rows logits, int rows, int vocabulary, GpuMemory tokens) {
        if (rows < 1 || vocabulary < 1) {
            throw new ObrException(rows + " rows of " + vocabulary + " logits have no largest");
        }
        logits.check("logits", rows, vocabulary, input.bytes());
        Rows.of(tokens, 1).check("tokens", rows, 1, Integer.BYTES);
        stream.launch(
                kernel,
                LaunchShape.of(rows, Math.min(THREADS, Math.ceilDiv(vocabulary, 32) * 32), 0),
                new KernelArguments()
                        .pointer(logits.memory(), logits.first() * input.bytes())
                        .pointer(tokens)
                        .i32(vocabulary)
                        .i32(logits.stride()));
    }

    @Override
    public void close() {
        module.close();
    }
}
