package dev.obr.runtime.transformer;

import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One decoder layer, step by step, each step ending at the input of the next group of linear layers:
 *
 * <pre>
 * attentionInput    h = norm(x)
 * attend            q,k,v = Wq h, Wk h, Wv h;  rope(q), rope(k);  [R q, R k per head];  cache += k,v;  m = [R across heads] attention(q, cache)
 * output            x += Wo m
 * feedForwardInput  h = norm(x)
 * activate          g = [R] (silu(Wgate h) · Wup h)
 * down              x += Wdown g
 * </pre>
 *
 * <p>R are the Hadamard transforms that a rotated model leaves to the runtime ({@link OnlineRotation}). Results lie in activations that the next call of the same step overwrites.
 * {@link Transformer} runs the steps one after the other; a compressor stops between them to see what each linear layer is given.
 */
public final class DecoderSteps {
    private final ModelConfig config;
    private final Backend backend;
    private final RotaryTable rotary;
    private final @Nullable HadamardTransform headRotation;
    private final @Nullable HadamardTransform headsRotation;
    private final @Nullable HadamardTransform downRotation;
    private final int capacity;
    private final Tensor normed;
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private final Tensor attention;
    private final Tensor gate;
    private final Tensor up;

    /** @param capacity most tokens of one step */
    public DecoderSteps(ModelConfig config, OnlineRotation rotation, Backend backend, int capacity) {
        this(config, rotation, backend, new RotaryTable(config), capacity);
    }

    DecoderSteps(ModelConfig config, OnlineRotation rotation, Backend backend, RotaryTable rotary, int capacity) {
        this.config = config;
        this.backend = backend;
        this.rotary = rotary;
        this.headRotation = rotation.queryKey() ? transform(config.headDim()) : null;
        this.headsRotation = rotation.headsInput() ? transform(config.heads()) : null;
        this.downRotation = rotation.downInput() ? transform(config.intermediateSize()) : null;
        this.capacity = capacity;
        this.normed = backend.tensor(capacity, config.hiddenSize());
        this.query = backend.tensor(capacity, config.queryWidth());
        this.key = backend.tensor(capacity, config.kvWidth());
        this.value = backend.tensor(capacity, config.kvWidth());
        this.attention = backend.tensor(capacity, config.queryWidth());
        this.gate = backend.tensor(capacity, config.intermediateSize());
        this.up = backend.tensor(capacity, config.intermediateSize());
    }

    private static HadamardTransform transform(int n) {
        return HadamardTransform.of(n)
                .orElseThrow(() -> new IllegalArgumentException("there is no Hadamard transform of length " + n));
    }

    /** Most tokens of one step. */
    int capacity() {
        return capacity;
    }

    /** x [tokens, hidden] -> h [tokens, hidden], the input of q, k and v. */
    public Tensor attentionInput(DecoderLayer layer, Tensor x) {
        return norm(x, layer.inputNorm());
    }

    /**
     * Appends keys and values to layer {@code index} of the cache, whose length stays as it is.
     *
     * @param h what {@link #attentionInput} gave
     * @return [tokens, heads · headDim], the input of o
     */
    public Tensor attend(DecoderLayer layer, Tensor h, KvCache cache, int index) {
        return attend(layer, h, List.of(new SequenceRows(cache, h.rows())), index);
    }

    /** As {@link #attend(DecoderLayer, Tensor, KvCache, int)} for the rows of several sequences, one sequence after the other. */
    Tensor attend(DecoderLayer layer, Tensor h, List<SequenceRows> sequences, int index) {
        int n = h.rows();
        int headDim = config.headDim();
        Tensor q = query.rows(0, n);
        Tensor k = key.rows(0, n);
        Tensor v = value.rows(0, n);
        backend.linear(
                h, layer.orders().attention(), List.of(layer.query(), layer.key(), layer.value()), List.of(q, k, v));
        Tensor queries = q.reshape(n * config.heads(), headDim);
        Tensor keys = k.reshape(n * config.kvHeads(), headDim);
        if (layer.queryNorm() != null) {
            backend.rmsNorm(queries, layer.queryNorm(), config.rmsNormEpsilon(), queries);
        }
        if (layer.keyNorm() != null) {
            backend.rmsNorm(keys, layer.keyNorm(), config.rmsNormEpsilon(), keys);
        }
        forEach(sequences, (sequence, from) -> {
            int position = sequence.cache().length();
            backend.rope(q.rows(from, sequence.count()), headDim, rotary, position);
            backend.rope(k.rows(from, sequence.count()), headDim, rotary, position);
        });
        rotate(queries, headRotation);
        rotate(keys, headRotation);
        Tensor mixed = attention.rows(0, n);
        forEach(sequences, (sequence, from) -> {
            int count = sequence.count();
            backend.append(sequence.cache(), index, k.rows(from, count), v.rows(from, count));
            backend.attention(q.rows(from, count), sequence.cache(), index, mixed.rows(from, count));
        });
        rotate(mixed, headsRotation);
        return mixed;
    }

    private static void forEach(List<SequenceRows> sequences, ObjIntConsumer<SequenceRows> body) {
        int from = 0;
        for (SequenceRows sequence : sequences) {
            body.accept(sequence, from);
            from += sequence.count();
        }
    }

    /** x += Wo m. */
    public void output(DecoderLayer layer, Tensor mixed, Tensor x) {
        Tensor h = normed.rows(0, x.rows());
        backend.linear(mixed, layer.orders().output(), List.of(layer.output()), List.of(h));
        backend.add(x, h);
    }

    /** x [tokens, hidden] -> h [tokens, hidden], the input of gate and up. */
    public Tensor feedForwardInput(DecoderLayer layer, Tensor x) {
        return norm(x, layer.postAttentionNorm());
    }

    /** h, what {@link #feedForwardInput} gave -> [tokens, intermediate], the input of down. */
    public Tensor activate(DecoderLayer layer, Tensor h) {
        Tensor g = gate.rows(0, h.rows());
        Tensor u = up.rows(0, h.rows());
        backend.linear(h, layer.orders().feedForward(), List.of(layer.gate(), layer.up()), List.of(g, u));
        backend.siluMul(g, u);
        rotate(g, downRotation);
        return g;
    }

    /** x += Wdown g. */
    public void down(DecoderLayer layer, Tensor activated, Tensor x) {
        Tensor h = normed.rows(0, x.rows());
        backend.linear(activated, layer.orders().down(), List.of(layer.down()), List.of(h));
        backend.add(x, h);
    }

    /** RMSNorm into the activations of this object: good until the next call. */
    Tensor norm(Tensor x, Tensor weight) {
        Tensor h = normed.rows(0, x.rows());
        backend.rmsNorm(x, weight, config.rmsNormEpsilon(), h);
        return h;
    }

    private void rotate(Tensor x, @Nullable HadamardTransform rotation) {
        if (rotation != null) {
            backend.hadamard(x, rotation);
        }
    }
}
