package dev.obr.compressor.pipeline;

import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.DecoderLayer;
import dev.obr.runtime.transformer.DecoderSteps;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * The calibration windows on their way through the model, one step of one decoder layer at a time.
 *
 * <p>Each step runs all windows and shows what the next group of linear layers is given; between two steps the weights of the group are replaced, so that later ones see the errors of
 * earlier ones. Two states are kept for every token: the residual stream x and the mixed heads m, the input of the output projection.
 */
final class Calibration implements AutoCloseable {
    /** Tokens computed together. */
    private static final int CHUNK = 512;

    /** Takes the inputs of a group of linear layers. */
    interface Inputs {
        /** Tokens of the window at hand: x [tokens, width], more may follow in the array. */
        void add(float[] x, int tokens);

        /** The window is complete. */
        void endSequence();
    }

    /** Takes nothing. */
    static final Inputs IGNORED = new Inputs() {
        @Override
        public void add(float[] x, int tokens) {}

        @Override
        public void endSequence() {}
    };

    /** Hears of each window that a step has run. */
    interface Windows {
        void done(int count);
    }

    private final Backend backend;
    private final DecoderSteps steps;
    private final KvCache cache;
    private final HiddenStates states; // x
    private final HiddenStates mixed; // m
    private final Tensor x;
    private final Tensor m;
    private final int samples;
    private final int length;
    private final float[] seen;

    /**
     * @param samples windows
     * @param length tokens of each
     * @param budget bytes of states that may lie in memory
     * @param scratch folder for those that may not
     */
    Calibration(
            ModelConfig config,
            OnlineRotation rotation,
            Backend backend,
            int samples,
            int length,
            long budget,
            Path scratch) {
        this.backend = backend;
        this.samples = samples;
        this.length = length;
        int chunk = Math.min(CHUNK, length);
        steps = new DecoderSteps(config, rotation, backend, chunk);
        cache = backend.newCache(config.withLayers(1), KvType.F32, length);
        x = backend.tensor(chunk, config.hiddenSize());
        m = backend.tensor(chunk, config.queryWidth());
        int widest = Math.max(config.intermediateSize(), Math.max(config.hiddenSize(), config.queryWidth()));
        seen = new float[chunk * widest];
        states = new HiddenStates(samples, length, config.hiddenSize(), budget / 2, scratch);
        mixed = new HiddenStates(samples, length, config.queryWidth(), budget / 2, scratch);
    }

    /** Where a window's token has its residual stream [1, hidden]: to be filled with embeddings before the first layer. */
    MemorySegment state(int sample, int token) {
        return states.rows(sample, token, 1);
    }

    /** Shows the input of q, k and v. */
    void attentionInput(DecoderLayer layer, Inputs inputs, Windows windows) {
        run(inputs, windows, (sample, from, count) -> {
            Tensor h = steps.attentionInput(layer, residual(sample, from, count));
            show(h, inputs);
        });
    }

    /** Attention, with q, k and v as they are now; shows the input of o. */
    void attend(DecoderLayer layer, Inputs inputs, Windows windows) {
        run(inputs, windows, (sample, from, count) -> {
            if (from == 0) {
                cache.truncate(0);
            }
            Tensor heads = steps.attend(layer, steps.attentionInput(layer, residual(sample, from, count)), cache, 0);
            cache.advance(count);
            backend.read(heads, mixed.rows(sample, from, count));
            show(heads, inputs);
        });
    }

    /** Adds the output projection as it is now; shows the input of gate and up. */
    void feedForwardInput(DecoderLayer layer, Inputs inputs, Windows windows) {
        run(inputs, windows, (sample, from, count) -> {
            Tensor stream = residual(sample, from, count);
            Tensor heads = m.rows(0, count);
            backend.write(mixed.rows(sample, from, count), heads);
            steps.output(layer, heads, stream);
            backend.read(stream, states.rows(sample, from, count));
            show(steps.feedForwardInput(layer, stream), inputs);
        });
    }

    /** Shows the input of down, with gate and up as they are now. */
    void activate(DecoderLayer layer, Inputs inputs, Windows windows) {
        run(inputs, windows, (sample, from, count) -> {
            Tensor stream = residual(sample, from, count);
            show(steps.activate(layer, steps.feedForwardInput(layer, stream)), inputs);
        });
    }

    /** Adds the feed-forward block as it is now: the residual stream becomes the next layer's. */
    void finish(DecoderLayer layer, Windows windows) {
        run(IGNORED, windows, (sample, from, count) -> {
            Tensor stream = residual(sample, from, count);
            steps.down(layer, steps.activate(layer, steps.feedForwardInput(layer, stream)), stream);
            backend.read(stream, states.rows(sample, from, count));
        });
    }

    private interface Chunk {
        void run(int sample, int from, int count);
    }

    private void run(Inputs inputs, Windows windows, Chunk chunk) {
        for (int sample = 0; sample < samples; sample++) {
            for (int from = 0; from < length; from += CHUNK) {
                chunk.run(sample, from, Math.min(CHUNK, length - from));
            }
            inputs.endSequence();
            windows.done(sample + 1);
        }
    }

    private Tensor residual(int sample, int from, int count) {
        Tensor stream = x.rows(0, count);
        backend.write(states.rows(sample, from, count), stream);
        return stream;
    }

    private void show(Tensor input, Inputs inputs) {
        if (inputs != IGNORED) {
            backend.read(input, MemorySegment.ofArray(seen));
            inputs.add(seen, input.rows());
        }
    }

    @Override
    public void close() {
        cache.close();
        states.close();
        mixed.close();
    }
}
