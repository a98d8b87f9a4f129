package dev.obr.runtime.transformer;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Quantization;
import dev.obr.runtime.sampling.Draw;
import dev.obr.runtime.sampling.Sampler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
public final class Transformer implements ForwardPass {
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
    private final float[] drawn; // [vocabularySize], what a token is drawn from
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
        drawn = new float[config.vocabularySize()];
        logitBlock = backend.tensor(1, config.vocabularySize());
        lastStates = backend.tensor(1, config.hiddenSize());
        steps = new DecoderSteps(config, rotation, backend, rotary, 1);
        residual = backend.tensor(1, config.hiddenSize());
    }

    @Override
    public long cacheBytes() {
        return backend.cacheBytes();
    }

    @Override
    public String device() {
        return backend.device();
    }

    @Override
    public String description() {
        return backend.description();
    }

    @Override
    public KvCache newCache(KvType type, int capacity) {
        return backend.newCache(config, type, capacity);
    }

    @Override
    public boolean sharesCaches() {
        return true;
    }

    @Override
    public KvCache fork(KvCache cache, int length) {
        return backend.fork(cache, length);
    }

    @Override
    public void forward(KvCache cache, int[] tokens, float[] logits) {
        forward(List.of(new SequenceStep(cache, tokens, logits.length == 0 ? new float[0][] : new float[][] {logits})));
    }

    @Override
    public synchronized void forward(List<SequenceStep> batch) {
        Tensor x = decode(batch);
        List<float[]> wanted = new ArrayList<>();
        List<Integer> rows = new ArrayList<>();
        int end = 0;
        for (SequenceStep step : batch) {
            end += step.tokens().length;
            int count = step.logits().length;
            for (int i = 0; i < count; i++) {
                wanted.add(step.logits()[i]);
                rows.add(end - count + i);
            }
        }
        for (int from = 0; from < wanted.size(); from += LogitRows.BLOCK) {
            int to = Math.min(wanted.size(), from + LogitRows.BLOCK);
            Tensor block = logits(
                    x, rows.subList(from, to).stream().mapToInt(row -> row).toArray());
            for (int row = from; row < to; row++) {
                backend.read(block, row - from, wanted.get(row));
            }
        }
    }

    @Override
    public synchronized void forward(KvCache cache, int[] tokens, int first, LogitRows rows) {
        Tensor x = decode(List.of(new SequenceStep(cache, tokens, new float[0][])));
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

    @Override
    public synchronized int next(KvCache cache, int[] tokens, Sampler sampler, Draw draw) {
        forward(cache, tokens, drawn);
        return sampler.next(drawn, draw);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            backend.close();
        }
    }
}
