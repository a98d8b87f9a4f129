package dev.obr.runtime.gpu;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuGraph;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.gpu.tokens.Embedding;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Quantization;
import dev.obr.runtime.sampling.Draw;
import dev.obr.runtime.sampling.Sampler;
import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.LogitRows;
import dev.obr.runtime.transformer.RotaryTable;
import dev.obr.runtime.transformer.SequenceStep;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The forward pass of the Llama family on a GPU, of packed models: only tokens go in and, where the likeliest is all that matters, only a token comes out.
 *
 * <pre>
 *   x = embedding[ids];  per layer: {@link GpuLayer};  logits = Whead norm(x);  likeliest
 * </pre>
 *
 * <p>Prompts are launched kernel by kernel. A step of one token a sequence is recorded once and then launched as a whole: which tokens, slots and positions it has stands in the device's
 * memory.
 */
public final class GpuTransformer implements ForwardPass {
    /** Sequences that step at once at most. */
    static final int SEQUENCES = 8;

    private final String label;
    private final GpuDevice device;
    private final ModelConfig config;
    private final GpuPrecision precision;
    private final boolean recorded;
    private final int capacity;
    private final GpuStream stream;
    private final Embedding embedding;
    private final GpuMemory table;
    private final List<GpuLayer> layers = new ArrayList<>();
    private final GpuHead head;
    private final GpuSampler sampler;
    private final GpuAttention attention;
    private final LayerKernels prompts;
    private final LayerKernels steps;
    private final GpuActivations activations;
    private final GpuKvSlots slots;
    private final Map<GpuAttention.Step, GpuGraph> graphs = new HashMap<>();
    private boolean closed;

    /**
     * Copies the weights of {@code model}, which may be closed afterwards.
     *
     * @param label what reports call the device
     * @param own device, which belongs to the result
     * @param context tokens of a sequence at most
     * @throws ObrException where there are no kernels for the model, or it does not fit; the device is closed
     */
    public GpuTransformer(Model model, String label, GpuDevice own, GpuPrecision precision, int context) {
        this(model, label, own, precision, context, true);
    }

    /**
     * The same, for who looks into what a step launches.
     *
     * @param recorded whether steps are recorded, or launched kernel by kernel
     */
    public GpuTransformer(
            Model model, String label, GpuDevice own, GpuPrecision precision, int context, boolean recorded) {
        this.label = label;
        this.device = new SharedModules(own);
        this.config = model.config();
        this.precision = precision;
        this.recorded = recorded;
        this.capacity = Math.ceilDiv(context, 8) * 8;
        int chunk = Math.min(MAX_CHUNK, capacity);
        int widest = Math.max(config.queryWidth() + 2 * config.kvWidth(), 2 * config.intermediateSize()) + 3 * 16;
        try {
            refuse(GpuRequirements.refusal(model));
            refuse(GpuRequirements.refusal(device.name(), device.capability()));
            GpuRequirements.checkMemory(model, device, capacity, chunk, widest);
            Quantization quantization = Objects.requireNonNull(model.quantization());
            OnlineRotation rotation = quantization.online();
            stream = device.newStream();
            GpuUpload upload = new GpuUpload(model, device, stream);
            float[] rows = Arrays.copyOf(new RotaryTable(config).rows(capacity), capacity * config.headDim());
            attention = new GpuAttention(device, config, upload.floats(rows), rotation.queryKey(), capacity, SEQUENCES);
            slots = new GpuKvSlots(device, stream, config, capacity);
            activations = GpuActivations.allocate(device, config, chunk, widest);
            embedding = new Embedding(device);
            table = upload.table("model.embed_tokens.weight");
            for (int i = 0; i < config.layers(); i++) {
                layers.add(GpuLayer.upload(upload, i));
            }
            head = upload.head(config, table);
            sampler = new GpuSampler(device, config.vocabularySize(), capacity);
            Set<Pattern> patterns = layers.stream()
                    .flatMap(GpuLayer::products)
                    .map(linear -> linear.weight().pattern())
                    .collect(Collectors.toSet());
            steps = kernels(rotation, precision.stepBits(), patterns);
            prompts = precision.promptBits() == precision.stepBits()
                    ? steps
                    : kernels(rotation, precision.promptBits(), patterns);
        } catch (Throwable failure) {
            device.close();
            throw failure;
        }
    }

    private static void refuse(Optional<String> refusal) {
        if (refusal.isPresent()) {
            throw new ObrException(refusal.get() + ": run it on the CPU (--device cpu).");
        }
    }

    private LayerKernels kernels(OnlineRotation rotation, int bits, Set<Pattern> patterns) {
        boolean int4 = bits == 4
                && device.capability().multipliesInt4()
                && Set.of(Pattern.PAIRS_4_OF_8, Pattern.DENSE).containsAll(patterns);
        TokenLayout layout = int4 ? TokenLayout.INT4 : TokenLayout.INT8;
        ActivationQuantizer quantizer = new ActivationQuantizer(bits, precision.clip());
        return new LayerKernels(device, stream, config, rotation, quantizer, layout, patterns);
    }

    @Override
    public String device() {
        return label;
    }

    @Override
    public String description() {
        return device.name() + "; prompts on " + prompts.description() + ", steps on " + steps.description();
    }

    @Override
    public synchronized KvCache newCache(KvType type, int tokens) {
        requireOpen();
        if (type != KvType.INT4 || tokens > capacity) {
            throw new IllegalArgumentException("a cache of " + tokens + " tokens as " + type.label() + " is asked for; "
                    + capacity + " as int4 can be");
        }
        if (slots.full()) { // what is recorded has the addresses of the old caches
            graphs.values().forEach(GpuGraph::close);
            graphs.clear();
        }
        return new GpuKvCache(slots.take(), tokens, slots.slotBytes(), this::give);
    }

    @Override
    public boolean sharesCaches() {
        return false;
    }

    @Override
    public KvCache fork(KvCache cache, int length) {
        return newCache(KvType.INT4, ((GpuKvCache) cache).capacity());
    }

    @Override
    public synchronized long cacheBytes() {
        return slots.takenBytes();
    }

    @Override
    public synchronized void forward(List<SequenceStep> batch) {
        for (SequenceStep step : batch) {
            int first = step.tokens().length - step.logits().length;
            forward(step.cache(), step.tokens(), first, (index, rows) -> {
                for (int row = 0; row < rows.length; row++) {
                    System.arraycopy(rows[row], 0, step.logits()[index - first + row], 0, rows[row].length);
                }
            });
        }
    }

    private synchronized void give(int slot) {
        slots.give(slot);
    }

    @Override
    public synchronized void forward(KvCache cache, int[] tokens, float[] logits) {
        run((GpuKvCache) cache, tokens);
        if (logits.length > 0) {
            if (tokens.length > 1) {
                head.run(stream, activations, tokens.length - 1, 1);
            }
            readLogits(logits);
        }
    }

    @Override
    public synchronized void forward(KvCache cache, int[] tokens, int first, LogitRows rows) {
        run((GpuKvCache) cache, tokens);
        int stride = head.stride();
        for (int from = first; from < tokens.length; from += LogitRows.BLOCK) {
            int count = Math.min(LogitRows.BLOCK, tokens.length - from);
            head.run(stream, activations, from, count);
            float[][] logits = new float[count][config.vocabularySize()];
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment block = arena.allocate(4L * count * stride, 64);
                stream.copyOut(activations.logits(), 0, block);
                stream.synchronize();
                for (int row = 0; row < count; row++) {
                    MemorySegment.copy(
                            block, ValueLayout.JAVA_FLOAT, 4L * row * stride, logits[row], 0, config.vocabularySize());
                }
            }
            rows.accept(from, logits);
        }
        stream.synchronize();
    }

    @Override
    public synchronized int next(KvCache cache, int[] tokens, Sampler sampler, Draw draw) {
        run((GpuKvCache) cache, tokens);
        if (tokens.length > 1) {
            head.run(stream, activations, tokens.length - 1, 1);
        }
        if (draw.options().greedy()) {
            return likeliest();
        }
        Draw left = draw;
        if (!draw.options().countsNewTokens()) { // which the device's sampler does not
            int drawn = this.sampler.draw(stream, Rows.of(activations.logits(), head.stride()), draw);
            if (drawn != GpuSampler.MORE) {
                return drawn;
            }
            left = draw.penalised();
        }
        float[] logits = new float[config.vocabularySize()];
        readLogits(logits);
        return sampler.next(logits, left);
    }

    private int likeliest() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment id = arena.allocate(ValueLayout.JAVA_INT);
            stream.copyOut(activations.likeliest(), 0, id);
            stream.synchronize();
            return id.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /** The first row. */
    private void readLogits(float[] logits) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment row = arena.allocate(4L * config.vocabularySize(), 64);
            stream.copyOut(activations.logits(), 0, row);
            stream.synchronize();
            MemorySegment.copy(row, ValueLayout.JAVA_FLOAT, 0, logits, 0, logits.length);
        }
    }

    /** Runs the decoder layers of some tokens of one sequence; behind a single one the head, too. */
    private void run(GpuKvCache cache, int[] tokens) {
        requireOpen();
        if (tokens.length < 1 || tokens.length > MAX_CHUNK) {
            throw new IllegalArgumentException("a step takes 1 to " + MAX_CHUNK + " tokens, not " + tokens.length);
        }
        try (Arena arena = Arena.ofConfined()) {
            activations.write(stream, arena, tokens, cache.places(tokens.length));
            if (tokens.length == 1) {
                step(attention.step(1, cache.length() + 1));
            } else {
                layers(prompts, GpuAttention.prompt(tokens.length));
            }
            stream.synchronize();
        }
        cache.advance(tokens.length);
    }

    /** Launches a step of the tokens that stand in the device's memory, recorded when it is the first of its kind. */
    private void step(GpuAttention.Step step) {
        if (!recorded) {
            launchStep(step);
            return;
        }
        GpuGraph graph = graphs.get(step);
        if (graph == null) {
            graph = stream.capture(() -> launchStep(step));
            graphs.put(step, graph);
        }
        stream.launch(graph);
    }

    private void launchStep(GpuAttention.Step step) {
        layers(steps, step);
        head.run(stream, activations, 0, step.tokens());
    }

    private void layers(LayerKernels kernels, GpuAttention.Step step) {
        GpuMemory x = activations.residual();
        embedding.gather(
                stream, table, config.vocabularySize(), config.hiddenSize(), activations.ids(), step.tokens(), x);
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).run(stream, kernels, attention, step, activations, slots.layer(i));
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the model is closed");
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            device.close();
        }
    }
}
