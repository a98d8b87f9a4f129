package dev.obr.models;

import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.chat.ChatFormat;
import dev.obr.models.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model as its files describe it: configuration, weights in place in memory-mapped files, tokenizer, chat format. Nothing runs here.
 *
 * <p>Immutable and safe to share between threads. {@link #close} unmaps the files: every {@link Weight} is invalid from then on.
 */
public final class Model implements AutoCloseable {
    private final String name;
    private final ModelConfig config;
    private final Map<String, Weight> weights;
    private final Tokenizer tokenizer;
    private final @Nullable ChatFormat chatFormat;
    private final Map<String, PackedMatrix> packed;
    private final Map<String, ColumnOrder> inputOrders;
    private final @Nullable Quantization quantization;
    private final Arena arena;

    /**
     * A model without packed weights.
     *
     * @param name for people: the folder's or file's name
     * @param weights by Hugging Face name, in file order
     * @param chatFormat null for a base model
     * @param arena owns the mapped files; closed with the model
     */
    public Model(
            String name,
            ModelConfig config,
            Map<String, Weight> weights,
            Tokenizer tokenizer,
            @Nullable ChatFormat chatFormat,
            Arena arena) {
        this(name, config, weights, tokenizer, chatFormat, Map.of(), Map.of(), null, arena);
    }

    /**
     * @param name for people: the folder's or file's name
     * @param weights those that are not packed, by Hugging Face name, in file order
     * @param chatFormat null for a base model
     * @param packed those that are, by Hugging Face name, in file order
     * @param inputOrders of packed weights whose columns are not in the order of their input, by tensor name
     * @param quantization how a packed model was made; null for any other
     * @param arena owns the mapped files; closed with the model
     */
    public Model(
            String name,
            ModelConfig config,
            Map<String, Weight> weights,
            Tokenizer tokenizer,
            @Nullable ChatFormat chatFormat,
            Map<String, PackedMatrix> packed,
            Map<String, ColumnOrder> inputOrders,
            @Nullable Quantization quantization,
            Arena arena) {
        this.name = name;
        this.config = config;
        this.weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
        this.tokenizer = tokenizer;
        this.chatFormat = chatFormat;
        this.packed = Collections.unmodifiableMap(new LinkedHashMap<>(packed));
        this.inputOrders = Collections.unmodifiableMap(new LinkedHashMap<>(inputOrders));
        this.quantization = quantization;
        this.arena = arena;
    }

    public String name() {
        return name;
    }

    public ModelConfig config() {
        return config;
    }

    /** All tensors that are not packed, by Hugging Face name, in file order. */
    public Map<String, Weight> weights() {
        return weights;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** How chat turns are written for this model; null for a base model. */
    public @Nullable ChatFormat chatFormat() {
        return chatFormat;
    }

    /** The packed weights by Hugging Face name, in file order; none of them is among {@link #weights}. */
    public Map<String, PackedMatrix> packed() {
        return packed;
    }

    /**
     * The orders in which packed weights take the columns of their input, by tensor name, e.g. {@code model.layers.0.self_attn.input_order}: column j of each weight of the
     * {@link InputGroup} multiplies component {@code column(j)} of its input. Groups without one take their input as it is.
     */
    public Map<String, ColumnOrder> inputOrders() {
        return inputOrders;
    }

    /** How the model was made, if it is packed. */
    public @Nullable Quantization quantization() {
        return quantization;
    }

    /** The same model with texts that no token ends, to measure texts of a given length with. It takes this one's place: closing either closes both. */
    public Model endless() {
        return new Model(
                name,
                config.withEosTokenIds(List.of()),
                weights,
                tokenizer,
                null,
                packed,
                inputOrders,
                quantization,
                arena);
    }

    /** Unmaps the files. */
    @Override
    public void close() {
        tokenizer.close();
        arena.close();
    }
}
