package dev.obr.compressor.rotation;

import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.Weight;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A model as its rotation leaves it, in float32, one tensor or one decoder layer at a time: nothing is kept between calls.
 *
 * <p>Names are those of Hugging Face, shapes those of the model. Where norms are fused, the head is a tensor of its own even if the model ties it to the embedding.
 */
public final class RotatedModel {
    private static final ScalarKernels KERNELS = new ScalarKernels();

    private final Model model;
    private final Rotation rotation;

    public RotatedModel(Model model, Rotation rotation) {
        this.model = model;
        this.rotation = rotation;
    }

    /** The model's configuration; where norms are fused, head and embedding are no longer tied. */
    public ModelConfig config() {
        return rotation.fusesNorms() ? model.config().untied() : model.config();
    }

    /**
     * All tensors of a decoder layer by full name: projections [out, in], norms and biases [1, n].
     *
     * @param layer from 0
     */
    public Map<String, Matrix> layer(int layer) {
        String prefix = "model.layers." + layer + ".";
        Map<String, Matrix> tensors = new LinkedHashMap<>();
        for (String name : model.weights().keySet()) {
            if (name.startsWith(prefix)) {
                tensors.put(name, tensor(name));
            }
        }
        return tensors;
    }

    /**
     * One tensor of a decoder layer, or the final norm: a projection [out, in], a norm or bias [1, n].
     *
     * @param name its full name, e.g. {@code model.layers.0.self_attn.q_proj.weight}
     */
    public Matrix tensor(String name) {
        if (name.endsWith("norm.weight")) {
            float[] values = vector(name);
            return row(
                    name.endsWith("q_norm.weight") || name.endsWith("k_norm.weight") ? values : rotation.norm(values));
        }
        int inLayer = name.indexOf('.', "model.layers.".length()) + 1;
        int kind = name.lastIndexOf('.');
        Projection projection = Projection.at(name.substring(inLayer, kind));
        if (name.endsWith(".bias")) {
            return row(rotation.bias(projection, vector(name)));
        }
        WeightMatrix stored = weight(name).matrix();
        Matrix w = rows(stored, 0, stored.rows());
        return switch (projection) {
            case QUERY, KEY, VALUE ->
                rotation.linear(projection, w, vector(name.substring(0, inLayer) + "input_layernorm.weight"));
            case GATE, UP ->
                rotation.linear(projection, w, vector(name.substring(0, inLayer) + "post_attention_layernorm.weight"));
            case OUTPUT, DOWN -> rotation.linear(projection, w, null);
        };
    }

    /** Rows {@code from <= token < from + count} of the embedding [count, hidden]. */
    public Matrix embedding(int from, int count) {
        Matrix rows = rows(weight("model.embed_tokens.weight").matrix(), from, count);
        rotation.embedding(rows);
        return rows;
    }

    /** Rows {@code from <= token < from + count} of the LM head [count, hidden]. */
    public Matrix head(int from, int count) {
        String name = model.config().tiedEmbeddings() ? "model.embed_tokens.weight" : ExpectedWeights.HEAD;
        Matrix rows = rows(weight(name).matrix(), from, count);
        rotation.head(rows, vector("model.norm.weight"));
        return rows;
    }

    private Weight weight(String name) {
        Weight weight = model.weights().get(name);
        if (weight == null) {
            throw new IllegalArgumentException(model.name() + " has no tensor " + name);
        }
        return weight;
    }

    private float[] vector(String name) {
        return rows(weight(name).vector(), 0, 1).values();
    }

    private static Matrix row(float[] values) {
        return new Matrix(1, values.length, values);
    }

    private static Matrix rows(WeightMatrix stored, int from, int count) {
        Matrix rows = Matrix.zeros(count, stored.cols());
        MemorySegment values = MemorySegment.ofArray(rows.values());
        for (int r = 0; r < count; r++) {
            long bytes = 4L * stored.cols();
            KERNELS.dequantizeRow(stored, from + r, values.asSlice(r * bytes, bytes));
        }
        return rows;
    }
}
