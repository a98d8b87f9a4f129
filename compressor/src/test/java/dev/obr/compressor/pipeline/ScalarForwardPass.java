package dev.obr.compressor.pipeline;

import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.kernels.gpu.attention.ScalarAttention;
import dev.obr.kernels.gpu.attention.ScalarKvAppend;
import dev.obr.kernels.gpu.hadamard.ScalarHadamardQuantizer;
import dev.obr.kernels.gpu.linear.ScalarNormQuantizer;
import dev.obr.kernels.gpu.linear.ScalarSparseGemm;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.kernels.quantize.KvQuantizer;
import dev.obr.models.InputGroup;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.OnlineRotation;
import dev.obr.models.Quantization;
import dev.obr.models.Weight;
import dev.obr.runtime.transformer.RotaryTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a GPU computes of a packed model, of the kernels' scalar twins, one token after the other: to the bit up to the head, whose sums are taken in double precision here.
 */
final class ScalarForwardPass {
    private final Model model;
    private final ModelConfig config;
    private final OnlineRotation rotation;
    private final float clip;
    private final KvQuantizer kvQuantizer;
    private final float[] rotations;
    private final MemorySegment[][] keys; // [layers][kvHeads], all positions
    private final MemorySegment[][] values;
    private int length;

    ScalarForwardPass(Model model, int capacity) {
        this.model = model;
        this.config = model.config();
        Quantization quantization = Objects.requireNonNull(model.quantization());
        this.rotation = quantization.online();
        this.clip = (float) quantization.activationClip().ratio();
        this.kvQuantizer = new KvQuantizer(4, config.headDim());
        this.rotations = new RotaryTable(config).rows(capacity);
        this.keys = cache(capacity);
        this.values = cache(capacity);
    }

    private MemorySegment[][] cache(int capacity) {
        MemorySegment[][] cache = new MemorySegment[config.layers()][config.kvHeads()];
        for (MemorySegment[] heads : cache) {
            Arrays.setAll(heads, head -> bytes(capacity * kvQuantizer.byteSize()));
        }
        return cache;
    }

    /**
     * One logit for each token id.
     *
     * @param value its sum, in double precision
     * @param magnitude Σ |w x|, which bounds what other orders of the sum differ by
     */
    record Logits(double[] value, double[] magnitude) {
        int likeliest() {
            int best = 0;
            for (int i = 1; i < value.length; i++) {
                best = value[i] > value[best] ? i : best;
            }
            return best;
        }
    }

    /** Appends one token. */
    Logits next(int token, int bits) {
        Weight table = weight("model.embed_tokens.weight");
        short[] x = halves(row(table.matrix(), token));
        for (int layer = 0; layer < config.layers(); layer++) {
            String prefix = "model.layers." + layer + ".";
            short[] q = linear(prefix, InputGroup.ATTENTION, 0, x, prefix + "input_layernorm.weight", bits, null);
            short[] k = linear(prefix, InputGroup.ATTENTION, 1, x, prefix + "input_layernorm.weight", bits, null);
            short[] v = linear(prefix, InputGroup.ATTENTION, 2, x, prefix + "input_layernorm.weight", bits, null);
            float[] mixed = attend(layer, floats(q), floats(k), floats(v));
            MemorySegment codes = codes(config.queryWidth());
            ColumnOrder order = order(prefix, InputGroup.OUTPUT);
            float scale = rotation.headsInput()
                    ? new ScalarHadamardQuantizer(transform(config.heads()), config.headDim(), quantizer(bits))
                            .quantize(null, mixed, order, codes, 0)
                    : quantizer(bits).quantize(mixed, null, 0, order, codes, 0);
            x = product(prefix, InputGroup.OUTPUT, 0, codes, scale, x);
            String norm = prefix + "post_attention_layernorm.weight";
            float[] gate = floats(linear(prefix, InputGroup.FEED_FORWARD, 0, x, norm, bits, null));
            float[] up = floats(linear(prefix, InputGroup.FEED_FORWARD, 1, x, norm, bits, null));
            boolean down = rotation.downInput();
            int width = config.intermediateSize();
            codes = codes(width);
            scale = new ScalarHadamardQuantizer(transform(down ? width : 1), down ? 1 : width, quantizer(bits))
                    .quantize(gate, up, order(prefix, InputGroup.DOWN), codes, 0);
            x = product(prefix, InputGroup.DOWN, 0, codes, scale, x);
        }
        length++;
        return head(x);
    }

    /** One linear layer behind a norm. */
    private short[] linear(
            String prefix,
            InputGroup group,
            int member,
            short[] x,
            String norm,
            int bits,
            short @Nullable [] residual) {
        MemorySegment codes = codes(x.length);
        float scale = quantizer(bits)
                .quantize(
                        floats(x),
                        row(weight(norm).vector(), 0),
                        config.rmsNormEpsilon(),
                        order(prefix, group),
                        codes,
                        0);
        return product(prefix, group, member, codes, scale, residual);
    }

    private short[] product(
            String prefix,
            InputGroup group,
            int member,
            MemorySegment codes,
            float scale,
            short @Nullable [] residual) {
        String name = prefix + group.members().get(member);
        PackedMatrix w = Objects.requireNonNull(model.packed().get(name + ".weight"));
        Weight bias = model.weights().get(name + ".bias");
        short[] y = new short[w.rows()];
        ScalarSparseGemm.multiply(
                w,
                TokenLayout.INT8,
                codes,
                MemorySegment.ofArray(new float[] {scale}),
                1,
                bias == null ? null : MemorySegment.ofArray(row(bias.vector(), 0)),
                residual == null ? null : MemorySegment.ofArray(residual),
                MemorySegment.ofArray(y));
        return y;
    }

    private float[] attend(int layer, float[] q, float[] k, float[] v) {
        int headDim = config.headDim();
        ScalarKvAppend append = new ScalarKvAppend(headDim, rotation.queryKey());
        float[] turn = Arrays.copyOfRange(rotations, length * headDim, (length + 1) * headDim);
        for (int head = 0; head < config.kvHeads(); head++) {
            long at = (long) length * kvQuantizer.byteSize();
            float[] key = Arrays.copyOfRange(k, head * headDim, (head + 1) * headDim);
            append.rotate(key, turn);
            append.code(key, keys[layer][head].asSlice(at));
            append.code(Arrays.copyOfRange(v, head * headDim, (head + 1) * headDim), values[layer][head].asSlice(at));
        }
        float[] mixed = new float[q.length];
        for (int head = 0; head < config.heads(); head++) {
            float[] query = Arrays.copyOfRange(q, head * headDim, (head + 1) * headDim);
            append.rotate(query, turn);
            int kvHead = head / (config.heads() / config.kvHeads());
            float[] out =
                    new ScalarAttention(headDim).attend(query, keys[layer][kvHead], values[layer][kvHead], length + 1);
            System.arraycopy(out, 0, mixed, head * headDim, headDim);
        }
        return mixed;
    }

    private Logits head(short[] x) {
        float[] h = floats(x);
        ScalarNormQuantizer.norm(h, row(weight("model.norm.weight").vector(), 0), config.rmsNormEpsilon());
        float[] normed = floats(halves(h));
        String name = config.tiedEmbeddings() ? "model.embed_tokens.weight" : "lm_head.weight";
        PackedMatrix packed = model.packed().get(name);
        double[] value = new double[config.vocabularySize()];
        double[] magnitude = new double[config.vocabularySize()];
        for (int id = 0; id < value.length; id++) {
            float[] row = new float[normed.length];
            if (packed == null) {
                row = floats(halves(row(weight(name).matrix(), id)));
            } else {
                packed.dequantizeRow(id, row, 0);
            }
            for (int c = 0; c < normed.length; c++) {
                value[id] += (double) row[c] * normed[c];
                magnitude[id] += Math.abs((double) row[c] * normed[c]);
            }
        }
        return new Logits(value, magnitude);
    }

    private ScalarNormQuantizer quantizer(int bits) {
        return new ScalarNormQuantizer(new ActivationQuantizer(bits, clip), TokenLayout.INT8);
    }

    private @Nullable ColumnOrder order(String prefix, InputGroup group) {
        return model.inputOrders().get(prefix + group.orderName());
    }

    private Weight weight(String name) {
        return Objects.requireNonNull(model.weights().get(name), name);
    }

    private static float[] row(WeightMatrix matrix, int row) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocate(4L * matrix.cols(), 64);
            new ScalarKernels().dequantizeRow(matrix, row, floats);
            return floats.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private static HadamardTransform transform(int n) {
        return HadamardTransform.of(n).orElseThrow();
    }

    private static MemorySegment codes(int columns) {
        return bytes(TokenLayout.INT8.rowBytes(columns));
    }

    private static MemorySegment bytes(long n) {
        return MemorySegment.ofArray(new byte[(int) n]);
    }

    private static short[] halves(float[] x) {
        short[] halves = new short[x.length];
        for (int i = 0; i < x.length; i++) {
            halves[i] = Float.floatToFloat16(x[i]);
        }
        return halves;
    }

    private static float[] floats(short[] x) {
        float[] floats = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            floats[i] = Float.float16ToFloat(x[i]);
        }
        return floats;
    }
}
