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

/** Launches penalties for tokens that occurred and the draw of the next: {@code penalise}, {@code sample}. What they compute is {@link ScalarSampler}. */
public final class TokenSampler implements AutoCloseable {
    /** Logits of a row whose penalties fit: a bit each in 48 KB. */
    public static final int MOST_VOCABULARY = 48 * 1024 * 8;

    private static final int PENALTY_THREADS = 1024;

    private final GpuModule module;
    private final GpuKernel penalise;
    private final GpuKernel sample;

    public TokenSampler(GpuDevice device) {
        this(KernelModule.SAMPLE.load(device));
    }

    TokenSampler(GpuModule module) {
        this.module = module;
        this.penalise = module.kernel("penalise");
        this.sample = module.kernel("sample");
    }

    /**
     * Queues the penalties of each row's choice, before its largest logits are looked for.
     *
     * @param logits float32, rows of {@code vocabulary}; changed
     * @param context int32, rows of tokens, the oldest first
     * @param lengths int32 [rows]: how many of the row's context count; no more than its stride
     * @param choices [rows] as {@link Choice#store} leaves them
     */
    public void penalise(
            GpuStream stream,
            Rows logits,
            int rows,
            int vocabulary,
            Rows context,
            GpuMemory lengths,
            GpuMemory choices) {
        if (rows < 1 || vocabulary < 1 || vocabulary > MOST_VOCABULARY) {
            throw new ObrException(rows + " rows of " + vocabulary + " logits are to be penalised; at least 1 of 1 to "
                    + MOST_VOCABULARY + " can be");
        }
        logits.check("logits", rows, vocabulary, Float.BYTES);
        context.check("context", rows, context.stride(), Integer.BYTES);
        lengths.requireBytes("lengths", 4L * rows);
        choices.requireBytes("choices", (long) Choice.BYTES * rows);
        stream.launch(
                penalise,
                LaunchShape.of(rows, PENALTY_THREADS, Math.ceilDiv(vocabulary, 32) * Integer.BYTES),
                new KernelArguments()
                        .pointer(logits.memory(), logits.first() * Float.BYTES)
                        .i32(logits.stride())
                        .i32(vocabulary)
                        .pointer(context.memory(), context.first() * Integer.BYTES)
                        .i32(context.stride())
                        .pointer(lengths)
                        .pointer(choices));
    }

    /**
     * Queues the draw.
     *
     * @param choices [rows] as {@link Choice#store} leaves them
     * @param tokens int32 [rows]; -1 where more logits are wanted than there are candidates
     */
    public void sample(GpuStream stream, Candidates candidates, int rows, GpuMemory choices, GpuMemory tokens) {
        if (rows < 1 || rows > candidates.rows()) {
            throw new ObrException(
                    "tokens of " + rows + " rows are drawn; 1 to " + candidates.rows() + " have candidates");
        }
        choices.requireBytes("choices", (long) Choice.BYTES * rows);
        tokens.requireBytes("tokens", 4L * rows);
        stream.launch(
                sample,
                LaunchShape.of(rows, TopK.MOST, 0),
                new KernelArguments()
                        .pointer(candidates.values())
                        .pointer(candidates.tokens())
                        .pointer(candidates.totals())
                        .pointer(choices)
                        .pointer(tokens)
                        .i32(candidates.k())
                        .i32(candidates.vocabulary()));
    }

    @Override
    public void close() {
        module.close();
    }
}
