package dev.obr.runtime.transformer;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Quantization;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * The forward pass of the Llama family, written once against {@link Backend}.
 *
 * <pre>
 * x = embedding[tokens]
 * per layer:  the steps of {@link DecoderSteps}
 * logits = Whead norm(x)
 * </pre>
 *
 * <p>Prompts are computed in chunks of at most {@link #MAX_CHUNK} tokens, in activations that are allocated once. Steps of different sequences take turns: every step is
 * synchronised.
 */
public final class Transformer implements AutoCloseable {
    /** Tokens computed together: enough that every weight read from memory is used many times, few enough that activations stay in the last-level cache. */
    public static final int MAX_CHUNK = 512;

    private final ModelConfig config;
    private final Backend backend;
    private final DeviceWeight embedding;
    private final List<DecoderLayer> layers;
    private final Tensor finalNorm;
    private final Linear head;
    private final RotaryTable rotary;
    private final OnlineRotation rotation;
    private DecoderSteps steps;
    private Tensor residual; // [steps.capacity, hiddenSize]
    private Tensor lastStates; // [1 or LogitRows.BLOCK, hiddenSize]: of the tokens whose logits are wanted
    private Tensor logitBlock; // [1 or LogitRows.BLOCK, vocabularySize]
    private boolean closed;

    /** Loads the weights of {@code model} into {@code backend}; the model must stay open as long as the transformer is used. */
    public Transformer(Model model, Backend backend) {
        this.config = model.config();
        this.backend = backend;
        DecoderLayer.Loader root = new DecoderLayer.Loader(model, backend, "");
        embedding = backend.load(root.weight("model.embed_tokens.weight").matrix());
        layers = IntStream.range(0, config.layers())
                .mapToObj(i -> DecoderLayer.load(model, i, backend))
                .toList();
        finalNorm = root.vector("model.norm.weight");
        PackedMatrix packedHead = model.packed().get(ExpectedWeights.HEAD);
        head = config.tiedEmbeddings()
                ? new Linear(embedding, null)
                : packedHead == null ? root.linear("lm_head") : new Linear(backend.loadHead(packedHead), null);
        rotary = new RotaryTable(config);
        Quantization quantization = model.quantization();
        rotation = quantization == null ? OnlineRotation.NONE : quantization.online();
        logitBlock = backend.tensor(1, config.vocabularySize());
        lastStates = backend.tensor(1, config.hiddenSize());
        steps = new DecoderSteps(config, rotation, backend, rotary, 1);
        residual = backend.tensor(1, config.hiddenSize());
    }

    /** Bytes that the caches of all sequences take now. */
    public long cacheBytes() {
        return backend.cacheBytes();
    }

    /** An empty cache for one sequence of at most {@code capacity} tokens. */
    public KvCache newCache(KvType type, int capacity) {
        return backend.newCache(config, type, capacity);
    }

    /**
     * Appends {@code tokens} to the sequence that {@code cache} holds and gives the logits that follow the last of them.
     *
     * @param tokens 1 to {@link #MAX_CHUNK} ids below the vocabulary size
     * @param logits [vocabularySize] floats to write, or an empty array when only the cache matters
     */
    public void forward(KvCache cache, int[] tokens, float[] logits) {
        forward(List.of(new SequenceStep(cache, tokens, logits)));
    }

    /**
     * One step of several sequences, which reads the weights once for all of them. Each gets to the last bit what it would get alone.
     *
     * @param batch at most {@link #MAX_CHUNK} tokens in all
     */
    public synchronized void forward(List<SequenceStep> batch) {
        Tensor x = decode(batch);
        int[] rows = new int[batch.size()];
        List<float[]> wanted = new ArrayList<>();
        int end = 0;
        for (SequenceStep step : batch) {
            end += step.tokens().length;
            if (step.logits().length > 0) {
                rows[wanted.size()] = end - 1;
                wanted.add(step.logits());
            }
        }
        for (int from = 0; from < wanted.size(); from += LogitRows.BLOCK) {
            int count = Math.min(LogitRows.BLOCK, wanted.size() - from);
            Tensor block = logits(x, Arrays.copyOfRange(rows, from, from + count));
            for (int row = 0; row < count; row++) {
                backend.read(block, row, wanted.get(from + row));
            }
        }
    }

    /**
     * Appends {@code tokens} to the sequence that {@code cache} holds and gives the logits that follow each of them from the {@code first} on, a block at a time.
     *
     * @param tokens 1 to {@link #MAX_CHUNK} ids below the vocabulary size
     * @param first index in {@code tokens}; from {@code tokens.length} on, only the cache matters
     */
    public synchronized void forward(KvCache cache, int[] tokens, int first, LogitRows rows) {
        Tensor x = decode(List.of(new SequenceStep(cache, tokens, new float[0])));
        for (int from = first; from < tokens.length; from += LogitRows.BLOCK) {
            int count = Math.min(LogitRows.BLOCK, tokens.length - from);
            Tensor block = logits(x, IntStream.range(from, from + count).toArray());
            float[][] logits = new float[count][config.vocabularySize()];
            for (int row = 0; row < count; row++) {
                backend.read(block, row, logits[row]);
            }
            rows.accept(from, logits);
        }
    }

    /** Runs the decoder layers: the residual stream [tokens, hiddenSize] behind the last of them, one sequence after the other. */
    private Tensor decode(List<SequenceStep> batch) {
        if (closed) {
            throw new IllegalStateException("the model is closed");
        }
        int[] tokens = batch.stream()
                .flatMapToInt(step -> Arrays.stream(step.tokens()))
                .toArray();
        int n = tokens.length;
        if (n < 1 || n > MAX_CHUNK) {
            throw new IllegalArgumentException("a step takes 1 to " + MAX_CHUNK + " tokens, not " + n);
        }
        if (n > steps.capacity()) {
            steps = new DecoderSteps(config, rotation, backend, rotary, MAX_CHUNK);
            residual = backend.tensor(MAX_CHUNK, config.hiddenSize());
        }
        Tensor x = residual.rows(0, n);
        backend.embed(embedding, tokens, x);
        List<SequenceRows> sequences = batch.stream()
                .map(step -> new SequenceRows(step.cache(), step.tokens().length))
                .toList();
        for (int i = 0; i < layers.size(); i++) {
            DecoderLayer layer = layers.get(i);
            steps.output(layer, steps.attend(layer, steps.attentionInput(layer, x), sequences, i), x);
            steps.down(layer, steps.activate(layer, steps.feedForwardInput(layer, x)), x);
        }
        sequences.forEach(sequence -> sequence.cache().advance(sequence.count()));
        return x;
    }

    // logits = Whead norm(x): rows of [tokens, hiddenSize] -> [rows, vocabularySize]
    private Tensor logits(Tensor x, int[] rows) {
        if (rows.length > logitBlock.rows()) {
            lastStates = backend.tensor(LogitRows.BLOCK, config.hiddenSize());
            logitBlock = backend.tensor(LogitRows.BLOCK, config.vocabularySize());
        }
        Tensor states = lastStates.rows(0, rows.length);
        Tensor logits = logitBlock.rows(0, rows.length);
        backend.gather(x, rows, states);
        backend.linear(steps.norm(states, finalNorm), null, List.of(head), List.of(logits));
        return logits;
    }

    /** Runs a whole prompt through {@link #forward}, chunk by chunk, asking {@code goOn} before each; false if it was told to stop. */
    public boolean prefill(KvCache cache, int[] tokens, float[] logits, BooleanSupplier goOn) {
        for (int from = 0; from < tokens.length; from += MAX_CHUNK) {
            if (!goOn.getAsBoolean()) {
                return false;
            }
            int to = Math.min(tokens.length, from + MAX_CHUNK);
            forward(cache, Arrays.copyOfRange(tokens, from, to), to == tokens.length ? logits : new float[0]);
        }
        return true;
    }

    /** Waits for the step that runs, if any, then frees the backend. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            backend.close();
        }
    }
}
