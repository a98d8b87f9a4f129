package dev.obr.compressor.pipeline;

import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.DecoderLayer;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The calibration windows on their way through the model, one step of one decoder layer at a time.
 *
 * <p>Each step runs all windows and shows what the next group of linear layers is given; between two steps the weights of the group are replaced, so that later ones see the errors of
 * earlier ones. Where the errors are to be repaired, a second stream goes through the model as it was, beside the first.
 */
final class Calibration implements AutoCloseable {
    /** Tokens computed together. */
    private static final int CHUNK = 512;

    /** What a step does with a chunk of a window, of either stream. */
    interface Step {
        Tensor run(CalibrationStream stream, DecoderLayer layer, int sample, int from, int count);
    }

    /**
     * What a group of linear layers is given for some tokens of a window. More may follow in each array.
     *
     * @param x [tokens, width]
     * @param dense of the model as it was; null where it does not go along
     */
    record Seen(int tokens, float[] x, @Nullable Dense dense) {}

    /**
     * The same tokens in the model as it was.
     *
     * @param x [tokens, width]
     * @param error by how much its residual stream exceeds the compressed model's, [tokens, hidden]
     */
    record Dense(float[] x, float[] error) {}

    /** The model as it was, going along: its windows, and where they are shown. */
    private record Beside(CalibrationStream stream, Dense seen) {}

    /** Takes the inputs of a group of linear layers. */
    interface Inputs {
        void add(Seen seen);

        /** The window is complete. */
        void endSequence();
    }

    /** Takes nothing. */
    static final Inputs IGNORED = new Inputs() {
        @Override
        public void add(Seen seen) {}

        @Override
        public void endSequence() {}
    };

    /** Hears of each window that a step has run. */
    interface Windows {
        void done(int count);
    }

    private final Backend backend;
    private final CalibrationStream stream;
    private final @Nullable Beside beside;
    private final int samples;
    private final int length;
    private final float[] seen;

    /**
     * @param samples windows
     * @param length tokens of each
     * @param besideDense whether the model as it was goes along
     * @param budget bytes of states that may lie in memory
     * @param scratch folder for those that may not
     */
    Calibration(
            ModelConfig config,
            OnlineRotation rotation,
            Backend backend,
            int samples,
            int length,
            boolean besideDense,
            long budget,
            Path scratch) {
        this.backend = backend;
        this.samples = samples;
        this.length = length;
        int chunk = Math.min(CHUNK, length);
        int widest = Math.max(config.intermediateSize(), Math.max(config.hiddenSize(), config.queryWidth()));
        long share = besideDense ? budget / 2 : budget;
        seen = new float[chunk * widest];
        stream = new CalibrationStream(config, rotation, backend, samples, length, chunk, share, scratch);
        beside = besideDense
                ? new Beside(
                        new CalibrationStream(config, rotation, backend, samples, length, chunk, share, scratch),
                        new Dense(new float[chunk * widest], new float[chunk * config.hiddenSize()]))
                : null;
    }

    /** Starts a token of a window with its embedding [hidden], which is stored in half precision when the model is packed. */
    void start(int sample, int token, float[] embedding) {
        if (beside != null) {
            MemorySegment residual = beside.stream.residual(sample, token, 1);
            MemorySegment.copy(embedding, 0, residual, ValueLayout.JAVA_FLOAT, 0, embedding.length);
        }
        MemorySegment stored = stream.residual(sample, token, 1);
        for (int i = 0; i < embedding.length; i++) {
            stored.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.float16ToFloat(Float.floatToFloat16(embedding[i])));
        }
    }

    /**
     * Takes every window one step further.
     *
     * @param layer as it is compressed so far
     * @param original the layer as it was; looked at only beside a dense stream
     */
    void run(Step step, FloatLayer layer, @Nullable FloatLayer original, Inputs inputs, Windows windows) {
        for (int sample = 0; sample < samples; sample++) {
            for (int from = 0; from < length; from += CHUNK) {
                int count = Math.min(CHUNK, length - from);
                Tensor x = step.run(stream, layer.layer(), sample, from, count);
                if (inputs != IGNORED) {
                    backend.read(x, MemorySegment.ofArray(seen));
                }
                if (beside != null && original != null) {
                    Tensor dense = step.run(beside.stream, original.layer(), sample, from, count);
                    if (inputs != IGNORED) {
                        backend.read(dense, MemorySegment.ofArray(beside.seen.x));
                        subtract(
                                beside.stream.residual(sample, from, count),
                                stream.residual(sample, from, count),
                                beside.seen.error);
                    }
                }
                inputs.add(new Seen(count, seen, beside == null ? null : beside.seen));
            }
            inputs.endSequence();
            windows.done(sample + 1);
        }
    }

    private static void subtract(MemorySegment a, MemorySegment b, float[] difference) {
        long values = a.byteSize() / Float.BYTES;
        for (int i = 0; i < values; i++) {
            difference[i] = a.getAtIndex(ValueLayout.JAVA_FLOAT, i) - b.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        }
    }

    @Override
    public void close() {
        try (stream) {
            if (beside != null) {
                beside.stream.close();
            }
        }
    }
}
