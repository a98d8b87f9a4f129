package dev.obr.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.models.loader.ModelLoader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ModelLoaderTest {
    @TempDir
    Path folder;

    /** Every fixture opens, and encodes its golden prompts to the tokens that the reference tokenizer gave. */
    @ParameterizedTest
    @MethodSource("dev.obr.models.Fixtures#names")
    void opensEveryFixture(String name) throws IOException {
        Path path = Fixtures.model(name);
        try (Model model = ModelLoader.open(path)) {
            JsonNode golden = JsonMapper.shared().readTree(Files.readAllBytes(path.resolve("golden.json")));
            for (JsonNode item : golden.get("cases")) {
                if (item.has("prompt")) {
                    int[] ids = item.get("prompt_ids")
                            .valueStream()
                            .mapToInt(JsonNode::intValue)
                            .toArray();
                    assertThat(model.tokenizer().encode(item.get("prompt").stringValue(), true))
                            .as(item.get("prompt").stringValue())
                            .containsExactly(ids);
                }
            }
            assertThat(model.config().eosTokenIds())
                    .containsExactlyInAnyOrderElementsOf(golden.get("eos_token_ids")
                            .valueStream()
                            .map(JsonNode::intValue)
                            .toList());
        }
    }

    /** GGUF stores Llama 3's rule as divisors; both forms turn pairs by the same angles. */
    @Test
    void bothFormsOfLlama3ScalingAgree() {
        try (Model rule = ModelLoader.open(Fixtures.model("llama3"));
                Model divisors = ModelLoader.open(Fixtures.model("gguf-llama3"))) {
            float[] expected = rule.config().ropeFrequencies();
            float[] found = divisors.config().ropeFrequencies();
            assertThat(found).hasSameSizeAs(expected);
            for (int i = 0; i < expected.length; i++) {
                assertThat(found[i]).isCloseTo(expected[i], within(2e-7f * expected[i]));
            }
        }
    }

    @Test
    void summarisesWeightsByType() {
        try (Model model = ModelLoader.open(Fixtures.model("llama-sharded"))) {
            WeightSummary summary = WeightSummary.of(model);
            assertThat(summary.groups()).extracting(WeightSummary.Group::format).containsExactly("F16", "BF16", "F32");
            // embedding and head 2 x 288 x 64; a layer: attention 2 x 64 x 64 + 2 x 32 x 64, SwiGLU 3 x 112 x 64, norms
            // 2 x 64; final norm 64
            assertThat(summary.parameters()).isEqualTo(2 * 288 * 64 + 2 * (12288 + 21504 + 128) + 64);
            assertThat(summary.bitsPerWeight()).isBetween(16.0, 16.1);
        }
    }

    @Test
    void opensASafetensorsFileBesideItsConfiguration() {
        try (Model model = ModelLoader.open(Fixtures.model("qwen2").resolve("model.safetensors"))) {
            assertThat(model.config().architecture()).isEqualTo("qwen2");
        }
    }

    @Test
    void opensTheOnlyGgufFileOfAFolder() throws IOException {
        copy(Fixtures.model("gguf-q4_0").resolve("model.gguf"), "some.gguf");
        Files.writeString(folder.resolve("config.json"), "{}");
        ModelLoader.open(folder).close();
        copy(Fixtures.model("gguf-q4_0").resolve("model.gguf"), "other.gguf");
        fails(folder, "holds several GGUF files; name one of them: other.gguf, some.gguf");
    }

    @Test
    void tellsFilesByWhatTheyHold() throws IOException {
        ModelLoader.open(copy(Fixtures.model("gguf-q4_0").resolve("model.gguf"), "weights.data"))
                .close();
        fails(write("model.gguf", "no model at all"), "starts with 0x6e6f206d, not with \"GGUF\"");
        fails(write("notes.txt", "no model at all"), "starts with the bytes 6e6f206d6f64656c20 and is neither");
        fails(write("empty", ""), "is empty and is neither a GGUF nor a safetensors file");
        fails(write("config.json", "{\"a\": 1}"), "describes a model but holds no weights; give its folder");
        fails(write("pytorch_model.bin", "PK\003\004...."), "convert the model to safetensors");
        fails(folder.resolve("absent"), "absent does not exist; give a folder");
    }

    @Test
    void saysWhatAFolderLacks() throws IOException {
        fails(folder, "is empty; give a folder");
        write("readme.txt", "hello");
        fails(folder, "holds neither safetensors nor GGUF files; give");
        write("config.json", "{}");
        fails(folder, "holds neither safetensors nor GGUF files beside its config.json");
        write("pytorch_model.bin", "PK");
        fails(folder, "holds weights in PyTorch's pickle format");
        Files.delete(folder.resolve("config.json"));
        copy(Fixtures.model("qwen2").resolve("model.safetensors"), "a.safetensors");
        fails(folder, "has no config.json");
        copy(Fixtures.model("qwen2").resolve("config.json"), "config.json");
        fails(folder, "has no tokenizer.json; copy it");
        write("tokenizer.model", "");
        fails(folder, "has no tokenizer.json (only tokenizer.model; save the tokenizer with transformers to get it)");
        copy(Fixtures.model("qwen2").resolve("tokenizer.json"), "tokenizer.json");
        ModelLoader.open(folder).close();
        copy(Fixtures.model("qwen2").resolve("model.safetensors"), "b.safetensors");
        fails(folder, "has 2 safetensors files but no model.safetensors.index.json");
    }

    @Test
    void refusesATruncatedFile() throws IOException {
        for (String name : new String[] {"config.json", "tokenizer.json"}) {
            copy(Fixtures.model("qwen2").resolve(name), name);
        }
        byte[] whole = Files.readAllBytes(Fixtures.model("qwen2").resolve("model.safetensors"));
        Path file = folder.resolve("model.safetensors");
        Files.write(file, Arrays.copyOf(whole, 100));
        fails(file, "announces a header of");
        Files.write(file, Arrays.copyOf(whole, whole.length - 1));
        fails(folder, "it is truncated: download it again");
    }

    @Test
    void refusesPartsOfDifferentModels() throws IOException {
        for (String name : new String[] {"config.json", "tokenizer.json", "model.safetensors"}) {
            copy(Fixtures.model("qwen2").resolve(name), name);
        }
        copy(Path.of("src/main/resources/dev/obr/models/demo/tokenizer.json"), "tokenizer.json");
        fails(folder, "the tokenizer has 4096 tokens, but the embedding only 288 rows");
        copy(Fixtures.model("qwen3").resolve("config.json"), "config.json");
        fails(folder, "has shape [64, 64], but the configuration calls for [128, 64]");
        copy(Fixtures.model("llama-sharded").resolve("config.json"), "config.json");
        fails(folder, "has no tensor lm_head.weight [288, 64], which its configuration calls for");
        String tied = Files.readString(folder.resolve("config.json"))
                .replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true");
        write("config.json", tied);
        fails(folder, "that its configuration does not call for; ignoring it would change the results");
    }

    private static void fails(Path path, String fault) {
        assertThatThrownBy(() -> ModelLoader.open(path).close())
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith(path.toString())
                .hasMessageContaining(fault);
    }

    private Path write(String name, String text) throws IOException {
        return Files.write(folder.resolve(name), text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private Path copy(Path from, String name) throws IOException {
        return Files.copy(from, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
}
