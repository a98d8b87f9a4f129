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
     * @param dense what the model as it was gives it, [tokens, width]
     * @param error by how much the residual stream of the model as it was exceeds this one, [tokens, hidden]
     */
    record Seen(int tokens, float[] x, float @Nullable [] dense, float @Nullable [] error) {}

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
    private final @Nullable CalibrationStream dense;
    private final int samples;
    private final int length;
    private final int hidden;
    private final float[] seen;
    private final float @Nullable [] seenDense;
    private final float @Nullable [] error;

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
        this.hidden = config.hiddenSize();
        int chunk = Math.min(CHUNK, length);
        int widest = Math.max(config.intermediateSize(), Math.max(config.hiddenSize(), config.queryWidth()));
        long share = besideDense ? budget / 2 : budget;
        seen = new float[chunk * widest];
        seenDense = besideDense ? new float[chunk * widest] : null;
        error = besideDense ? new float[chunk * hidden] : null;
        stream = new CalibrationStream(config, rotation, backend, samples, length, chunk, share, scratch);
        dense = besideDense
                ? new CalibrationStream(config, rotation, backend, samples, length, chunk, share, scratch)
                : null;
    }

    /** Starts a token of a window with its embedding [hidden], which is stored in half precision when the model is packed. */
    void start(int sample, int token, float[] embedding) {
        if (dense != null) {
            MemorySegment.copy(
                    embedding, 0, dense.residual(sample, token, 1), ValueLayout.JAVA_FLOAT, 0, embedding.length);
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
    void run(Step step, DecoderLayer layer, @Nullable DecoderLayer original, Inputs inputs, Windows windows) {
        for (int sample = 0; sample < samples; sample++) {
            for (int from = 0; from < length; from += CHUNK) {
                int count = Math.min(CHUNK, length - from);
                show(step.run(stream, layer, sample, from, count), seen, inputs);
                if (dense != null && original != null && seenDense != null && error != null) {
                    show(step.run(dense, original, sample, from, count), seenDense, inputs);
                    subtract(dense.residual(sample, from, count), stream.residual(sample, from, count), error);
                }
                inputs.add(new Seen(count, seen, seenDense, error));
            }
            inputs.endSequence();
            windows.done(sample + 1);
        }
    }

    private void show(Tensor input, float[] into, Inputs inputs) {
        if (inputs != IGNORED) {
            backend.read(input, MemorySegment.ofArray(into));
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
        stream.close();
        if (dense != null) {
            dense.close();
        }
    }
}
