package dev.obr.models.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.RopeScaling;
import dev.obr.models.file.TensorBytes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufModelTest {
    private static final int HIDDEN = 8;
    private static final int HEADS = 2;
    private static final int VOCABULARY = 260; // three control tokens, 256 bytes and one piece

    @TempDir
    Path folder;

    /** Of a head with 4 rows, exporters write rows 0 2 1 3: component i beside its partner i + 2. */
    @Test
    void putsTheRowsOfQueryAndKeyInOrder() {
        try (Model model = open("llama", w -> {})) {
            int[] order = {0, 2, 1, 3, 4, 6, 5, 7};
            assertThat(firstOfEachRow(model, "q_proj")).containsExactly(order);
            assertThat(firstOfEachRow(model, "k_proj")).containsExactly(order);
            assertThat(firstOfEachRow(model, "v_proj")).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
        }
        try (Model model = open("qwen3", w -> {
            for (String norm : List.of("attn_q_norm", "attn_k_norm")) {
                tensor(w, "blk.0." + norm + ".weight", HIDDEN / HEADS);
            }
        })) {
            assertThat(firstOfEachRow(model, "q_proj")).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
        }
    }

    @Test
    void biasesFollowTheirRows() {
        try (Model model = open("llama", w -> {
            for (String projection : List.of("attn_q", "attn_k", "attn_v")) {
                tensor(w, "blk.0." + projection + ".bias", HIDDEN);
            }
        })) {
            assertThat(Objects.requireNonNull(model.weights().get("model.layers.0.self_attn.q_proj.bias"))
                            .memory()
                            .toArray(ValueLayout.JAVA_FLOAT))
                    .containsExactly(0, 2, 1, 3, 4, 6, 5, 7);
        }
    }

    @Test
    void readsTheConfiguration() {
        try (Model model = open(
                "llama",
                w -> w.uint32("llama.attention.sliding_window", 16).uint32("tokenizer.ggml.eot_token_id", 0))) {
            ModelConfig config = model.config();
            assertThat(config.headDim()).isEqualTo(4);
            assertThat(config.contextLength()).isEqualTo(16);
            assertThat(config.eosTokenIds()).containsExactly(2, 0);
            assertThat(config.bosTokenId()).isEqualTo(1);
            assertThat(config.tiedEmbeddings()).isTrue();
            assertThat(config.vocabularySize()).isEqualTo(VOCABULARY);
            assertThat(config.ropeScaling()).isNull();
        }
    }

    @Test
    void readsRotaryDivisors() {
        try (Model model = open("llama", w -> tensor(w, "rope_freqs.weight", 2, 1f, 8f))) {
            assertThat(model.config().ropeScaling()).isEqualTo(new RopeScaling.PerFrequency(List.of(1f, 8f)));
            assertThat(model.config().ropeFrequencies()).containsExactly(1f, (float) (1 / 100.0 / 8));
        }
    }

    @Test
    void namesWhatIsNotImplemented() {
        fails("gemma2", w -> {}, "general.architecture \"gemma2\" is not supported; llama");
        fails("llama", w -> w.uint32("llama.expert_count", 8), "llama.expert_count 8 is not implemented");
        fails(
                "llama",
                w -> w.string("llama.rope.scaling.type", "yarn"),
                "llama.rope.scaling.type yarn is not implemented");
        fails("llama", w -> w.string("llama.rope.scaling.type", "linear"), "llama.rope.scaling.type linear");
        fails("llama", w -> w.float32("llama.rope.scaling.factor", 2f), "llama.rope.scaling.factor 2.0");
        fails(
                "llama",
                w -> w.uint32("llama.rope.dimension_count", 2),
                "llama.rope.dimension_count is 2, but heads have 4");
        fails("llama", w -> w.uint32("split.count", 2), "is one of 2 parts; join them");
        fails("llama", w -> tensor(w, "blk.0.attn_q_norm.weight", 4), "self_attn.q_norm.weight that its configuration");
        fails(
                "llama",
                w -> tensor(w, "blk.0.ffn_gate_inp.weight", 4),
                "blk.0.ffn_gate_inp.weight that is not implemented");
        fails("llama", w -> tensor(w, "rope_freqs.weight", 3, 1f), "rope_freqs.weight has 3 values, but heads of 4");
        fails("llama", w -> tensor(w, "rope_freqs.weight", 2, 1f, -1f), "rope_freqs.weight holds -1.0");
        fails(
                "llama",
                w -> tensor(w, "blk.1.attn_norm.weight", HIDDEN),
                "model.layers.1.input_layernorm.weight that its");
        fails("qwen2", w -> {}, "has no tensor model.layers.0.self_attn.q_proj.bias [8]");
    }

    private static int[] firstOfEachRow(Model model, String projection) {
        var w = Objects.requireNonNull(model.weights().get("model.layers.0.self_attn." + projection + ".weight"))
                .matrix();
        return IntStream.range(0, w.rows())
                .map(r -> (int) w.row(r).get(ValueLayout.JAVA_FLOAT, 0))
                .toArray();
    }

    private void fails(String architecture, Consumer<GgufWriter> change, String fault) {
        assertThatThrownBy(() -> open(architecture, change).close())
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("model.gguf")
                .hasMessageContaining(fault);
    }

    /** A model of one layer whose matrices hold their row numbers. */
    private Model open(String architecture, Consumer<GgufWriter> change) {
        GgufWriter w = new GgufWriter()
                .string("general.architecture", architecture)
                .uint32(architecture + ".context_length", 64)
                .uint32(architecture + ".embedding_length", HIDDEN)
                .uint32(architecture + ".block_count", 1)
                .uint32(architecture + ".feed_forward_length", 6)
                .uint32(architecture + ".attention.head_count", HEADS)
                .float32(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
        vocabulary(w);
        tensor(w, "token_embd.weight", VOCABULARY, HIDDEN);
        tensor(w, "output_norm.weight", HIDDEN);
        for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
            tensor(w, "blk.0." + name + ".weight", HIDDEN, HIDDEN);
        }
        tensor(w, "blk.0.attn_norm.weight", HIDDEN);
        tensor(w, "blk.0.ffn_norm.weight", HIDDEN);
        tensor(w, "blk.0.ffn_gate.weight", 6, HIDDEN);
        tensor(w, "blk.0.ffn_up.weight", 6, HIDDEN);
        tensor(w, "blk.0.ffn_down.weight", HIDDEN, 6);
        change.accept(w);
        Path file = folder.resolve("model.gguf");
        w.write(file);
        return GgufModel.open(file);
    }

    private static void vocabulary(GgufWriter w) {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        int[] types = new int[VOCABULARY];
        for (int b = 0; b < 256; b++) {
            tokens.add(String.format("<0x%02X>", b));
            types[3 + b] = 6;
        }
        tokens.add("\u2581");
        types[0] = 2;
        types[1] = 3;
        types[2] = 3;
        types[259] = 1;
        w.string("tokenizer.ggml.model", "llama")
                .strings("tokenizer.ggml.tokens", tokens)
                .float32s("tokenizer.ggml.scores", new float[VOCABULARY])
                .int32s("tokenizer.ggml.token_type", types)
                .uint32("tokenizer.ggml.bos_token_id", 1)
                .uint32("tokenizer.ggml.eos_token_id", 2)
                .uint32("tokenizer.ggml.unknown_token_id", 0);
    }

    private static void tensor(GgufWriter w, String name, int rows, int cols) {
        float[] values = new float[rows * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = i / cols;
        }
        w.tensor(name, DType.F32, List.of(rows, cols), TensorBytes.of(MemorySegment.ofArray(values)));
    }

    /** A vector of the given values, by default 0, 1, 2, .. */
    private static void tensor(GgufWriter w, String name, int n, float... values) {
        float[] all = new float[n];
        for (int i = 0; i < n; i++) {
            all[i] = i < values.length ? values[i] : i;
        }
        w.tensor(name, DType.F32, List.of(n), TensorBytes.of(MemorySegment.ofArray(all)));
    }
}
