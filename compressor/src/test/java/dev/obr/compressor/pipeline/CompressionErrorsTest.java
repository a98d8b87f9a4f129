package dev.obr.compressor.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.compressor.MemoryModel;
import dev.obr.kernels.ObrException;
import dev.obr.models.Model;
import dev.obr.models.loader.ModelLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What cannot be compressed is refused in one sentence, and nothing is left where the model should have gone. */
class CompressionErrorsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void whatIsThereStaysUnlessForced() throws Exception {
        TinyCompression compression = TinyCompression.of("qwen2");
        Path out = folder.resolve("out");
        compression.run(out);
        Files.writeString(out.resolve("mine.txt"), "kept");
        assertThatThrownBy(() -> compression.run(out))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining(out + " exists already")
                .hasMessageContaining("--force");
        assertThat(out.resolve("mine.txt")).exists();
        compression.forced().run(out);
        assertThat(out.resolve("mine.txt")).doesNotExist();
        assertThat(out.resolve("model.safetensors")).exists();
    }

    @Test
    void aFolderThatIsNoModelIsNeverReplaced() throws Exception {
        Path out = Files.createDirectory(folder.resolve("documents"));
        Files.writeString(out.resolve("thesis.txt"), "years of work");
        assertThatThrownBy(() -> TinyCompression.of("qwen2").forced().run(out))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("is no packed model");
        assertThat(out.resolve("thesis.txt")).exists();
        assertThat(folder.resolve("documents.partial")).doesNotExist();
    }

    @Test
    void aPackedModelIsNotPackedAgain() {
        TinyCompression compression = TinyCompression.of("qwen2");
        compression.run(folder.resolve("once"));
        assertThatThrownBy(() -> compression.withSource(folder.resolve("once")).run(folder.resolve("twice")))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("is packed already");
        assertThat(folder.resolve("twice")).doesNotExist();
    }

    @Test
    void theFolderAroundMustExist() {
        assertThatThrownBy(() -> TinyCompression.of("qwen2").run(folder.resolve("no/such/out")))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("there is no folder " + folder.resolve("no/such"));
    }

    /** A weight is named itself, a norm by the weights that take it over, a bias by the input that it spoils. */
    @ParameterizedTest
    @CsvSource({
        "model.layers.1.self_attn.k_proj.weight, model.layers.1.self_attn.k_proj.weight",
        "model.layers.0.mlp.down_proj.weight, model.layers.0.mlp.down_proj.weight",
        "model.layers.1.post_attention_layernorm.weight, model.layers.1.mlp.gate_proj.weight",
        "model.layers.1.self_attn.v_proj.bias, the input of model.layers.1.self_attn.o_proj",
        "model.embed_tokens.weight, model.embed_tokens.weight",
        "model.norm.weight, lm_head.weight"
    })
    void noNumberIsNamed(String spoiled, String named) {
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            refuses(spoiled, value, named);
        }
    }

    /** Finite weights, infinite activations. */
    @Test
    void activationsThatOverflowAreNamed() {
        refuses("model.layers.0.post_attention_layernorm.weight", 3e38f, "model.layers.0.mlp");
    }

    private void refuses(String spoiled, float value, String named) {
        Path out = folder.resolve("out");
        try (Model model =
                ModelLoader.open(TinyCompression.of("llama-attention-bias").source())) {
            Model altered = MemoryModel.altered(model, spoiled, value);
            assertThatThrownBy(() ->
                            TinyCompression.of("llama-attention-bias").forced().run(altered, out))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining(named)
                    .hasMessageMatching(".*(NaN|Infinity).*");
        }
        assertThat(out).doesNotExist();
    }
}
