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
 * The activations of one version of the model, of all calibration windows: the residual stream x and the mixed heads m, the input of the output projection.
 *
 * <p>Each method takes a chunk of one window one step further and returns what the next group of linear layers is given; it lies in activations that the next call overwrites. Chunks of
 * a window come in order.
 */
final class CalibrationStream implements AutoCloseable {
    private final Backend backend;
    private final DecoderSteps steps;
    private final KvCache cache;
    private final HiddenStates states; // x
    private final HiddenStates mixed; // m
    private final Tensor x;
    private final Tensor m;

    /**
     * @param samples windows
     * @param length tokens of each
     * @param chunk most tokens of a call
     * @param budget bytes of states that may lie in memory
     * @param scratch folder for those that may not
     */
    CalibrationStream(
            ModelConfig config,
            OnlineRotation rotation,
            Backend backend,
            int samples,
            int length,
            int chunk,
            long budget,
            Path scratch) {
        this.backend = backend;
        steps = new DecoderSteps(config, rotation, backend, chunk);
        cache = backend.newCache(config.withLayers(1), KvType.F32, length);
        x = backend.tensor(chunk, config.hiddenSize());
        m = backend.tensor(chunk, config.queryWidth());
        states = new HiddenStates(samples, length, config.hiddenSize(), budget / 2, scratch);
        mixed = new HiddenStates(samples, length, config.queryWidth(), budget / 2, scratch);
    }

    /** The residual stream of some tokens [count, hidden]: before the first layer, to be filled with embeddings. */
    MemorySegment residual(int sample, int from, int count) {
        return states.rows(sample, from, count);
    }

    /** The input of q, k and v. */
    Tensor attentionInput(DecoderLayer layer, int sample, int from, int count) {
        return steps.attentionInput(layer, load(sample, from, count));
    }

    /** Attention, with q, k and v as they are now: the input of o. */
    Tensor attend(DecoderLayer layer, int sample, int from, int count) {
        if (from == 0) {
            cache.truncate(0);
        }
        Tensor heads = steps.attend(layer, steps.attentionInput(layer, load(sample, from, count)), cache, 0);
        cache.advance(count);
        backend.read(heads, mixed.rows(sample, from, count));
        return heads;
    }

    /** Adds the output projection as it is now: the input of gate and up. */
    Tensor feedForwardInput(DecoderLayer layer, int sample, int from, int count) {
        Tensor stream = load(sample, from, count);
        Tensor heads = m.rows(0, count);
        backend.write(mixed.rows(sample, from, count), heads);
        steps.output(layer, heads, stream);
        backend.read(stream, states.rows(sample, from, count));
        return steps.feedForwardInput(layer, stream);
    }

    /** The input of down, with gate and up as they are now. */
    Tensor activate(DecoderLayer layer, int sample, int from, int count) {
        return steps.activate(layer, steps.feedForwardInput(layer, load(sample, from, count)));
    }

    /** Adds the feed-forward block as it is now: x becomes, and is, the next layer's. */
    Tensor finish(DecoderLayer layer, int sample, int from, int count) {
        Tensor stream = load(sample, from, count);
        steps.down(layer, steps.activate(layer, steps.feedForwardInput(layer, stream)), stream);
        backend.read(stream, states.rows(sample, from, count));
        return stream;
    }

    private Tensor load(int sample, int from, int count) {
        Tensor stream = x.rows(0, count);
        backend.write(states.rows(sample, from, count), stream);
        return stream;
    }

    @Override
    public void close() {
        states.close();
        mixed.close();
        cache.close(); // of a device that has failed, this says so again
    }
}
