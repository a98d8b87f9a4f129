package dev.obr.runtime.transformer;

import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Quantization;
import dev.obr.runtime.sampling.Sampler;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

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
    private final Tensor lastLogits; // [1, vocabularySize]
    private DecoderSteps steps;
    private Tensor residual; // [steps.capacity, hiddenSize]
    private @Nullable Tensor logitBlock; // [LogitRows.BLOCK, vocabularySize], made when first asked for
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
        lastLogits = backend.tensor(1, config.vocabularySize());
        steps = new DecoderSteps(config, rotation, backend, rotary, 1);
        residual = backend.tensor(1, config.hiddenSize());
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
    public synchronized void forward(KvCache cache, int[] tokens, float[] logits) {
        Tensor x = decode(cache, tokens);
        if (logits.length > 0) {
            Tensor block = head(x.rows(x.rows() - 1, 1), lastLogits);
            backend.read(block, 0, logits);
        }
    }

    @Override
    public synchronized void forward(KvCache cache, int[] tokens, int first, LogitRows rows) {
        Tensor x = decode(cache, tokens);
        for (int from = first; from < tokens.length; from += LogitRows.BLOCK) {
            int count = Math.min(LogitRows.BLOCK, tokens.length - from);
            if (logitBlock == null) {
                logitBlock = backend.tensor(LogitRows.BLOCK, config.vocabularySize());
            }
            Tensor block = head(x.rows(from, count), logitBlock.rows(0, count));
            float[][] logits = new float[count][config.vocabularySize()];
            for (int row = 0; row < count; row++) {
                backend.read(block, row, logits[row]);
            }
            rows.accept(from, logits);
        }
    }

    /** Runs the decoder layers: the residual stream [tokens, hiddenSize] behind the last of them. */
    private Tensor decode(KvCache cache, int[] tokens) {
        if (closed) {
            throw new IllegalStateException("the model is closed");
        }
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
        for (int i = 0; i < layers.size(); i++) {
            DecoderLayer layer = layers.get(i);
            steps.output(layer, steps.attend(layer, steps.attentionInput(layer, x), cache, i), x);
            steps.down(layer, steps.activate(layer, steps.feedForwardInput(layer, x)), x);
        }
        cache.advance(n);
        return x;
    }

    // logits = Whead norm(x): [tokens, hiddenSize] -> [tokens, vocabularySize]
    private Tensor head(Tensor x, Tensor logits) {
        backend.linear(steps.norm(x, finalNorm), null, List.of(head), List.of(logits));
        return logits;
    }

    @Override
    public int likeliest(KvCache cache, int[] tokens) {
        float[] logits = new float[config.vocabularySize()];
        forward(cache, tokens, logits);
        return Sampler.likeliest(logits);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            backend.close();
        }
    }
}
