package dev.obr.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.JsonFile;
import dev.obr.models.gguf.GgufFile;
import dev.obr.models.gguf.GgufModel;
import dev.obr.models.huggingface.HuggingFaceModel;
import dev.obr.models.safetensors.SafetensorsFile;
import dev.obr.models.safetensors.SafetensorsShards;
import dev.obr.models.safetensors.SafetensorsTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damages the heads of real files, 10,000 times with a fixed seed: each opens or is refused with a sentence, and nothing else happens. */
class HeaderFuzzTest {
    private static final long SEED = 20260101;

    @TempDir
    Path folder;

    @Test
    void safetensorsHeaders() throws IOException {
        byte[] file = Files.readAllBytes(Fixtures.model("qwen2").resolve("model.safetensors"));
        int header = (file[0] & 0xff) | (file[1] & 0xff) << 8; // a tiny model's header stays below 64 KiB
        JsonFile config = JsonFile.read(Fixtures.model("qwen2").resolve("config.json"));
        byte[] tokenizer = Files.readAllBytes(Fixtures.model("qwen2").resolve("tokenizer.json"));
        damage(4000, file, 8 + header, damaged -> {
            SafetensorsFile read = SafetensorsFile.of(MemorySegment.ofArray(damaged), "fuzz.safetensors");
            assemble(config, tokenizer, read.tensors());
        });
    }

    @Test
    void configurations() throws IOException {
        for (String name : List.of("llama3", "mistral", "qwen3")) {
            Path model = Fixtures.model(name);
            SafetensorsFile weights = SafetensorsFile.of(
                    MemorySegment.ofArray(Files.readAllBytes(model.resolve("model.safetensors"))), name);
            byte[] tokenizer = Files.readAllBytes(model.resolve("tokenizer.json"));
            byte[] config = Files.readAllBytes(model.resolve("config.json"));
            damage(
                    750,
                    config,
                    config.length,
                    damaged -> assemble(JsonFile.parse(damaged, "config.json"), tokenizer, weights.tensors()));
        }
    }

    @Test
    void indexes() throws IOException {
        Path model = Fixtures.model("llama-sharded");
        try (var files = Files.list(model)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Path index = folder.resolve("model.safetensors.index.json");
        byte[] whole = Files.readAllBytes(index);
        damage(750, whole, whole.length, damaged -> {
            try (Arena arena = Arena.ofConfined()) {
                Files.write(index, damaged);
                SafetensorsShards.map(index, arena).values().forEach(SafetensorsTensor::weight);
            } catch (IOException failure) {
                throw new IllegalStateException(failure);
            }
        });
    }

    @Test
    void ggufHeads() throws IOException {
        for (String name : List.of("gguf-q4_0", "gguf-qwen2", "gguf-llama3")) {
            byte[] file = Files.readAllBytes(Fixtures.model(name).resolve("model.gguf"));
            long data = GgufFile.of(MemorySegment.ofArray(file), name).tensors().values().stream()
                    .mapToLong(tensor -> tensor.memory().byteSize())
                    .sum();
            damage(1000, file, (int) (file.length - data), damaged -> {
                Arena arena = Arena.ofShared();
                try {
                    GgufModel.assemble(name, GgufFile.of(MemorySegment.ofArray(damaged), "fuzz.gguf"), arena);
                } finally {
                    arena.close();
                }
            });
        }
    }

    private static void assemble(JsonFile config, byte[] tokenizer, Map<String, SafetensorsTensor> tensors) {
        Arena arena = Arena.ofShared();
        try {
            Model model =
                    new HuggingFaceModel("fuzz", "fuzz", config, null, tokenizer, null, null, tensors).assemble(arena);
            model.tokenizer().close();
        } finally {
            arena.close();
        }
    }

    /** Opens {@code count} damaged copies of {@code file}; damage is done before byte {@code end}. */
    private static void damage(int count, byte[] file, int end, Consumer<byte[]> open) {
        int opened = 0;
        for (int i = 0; i < count; i++) {
            byte[] damaged = Damage.of(file, end, new Random(SEED + i));
            try {
                open.accept(damaged);
                opened++;
            } catch (ObrException refused) {
                assertThat(refused.getMessage())
                        .as("mutation %d", i)
                        .isNotBlank()
                        .doesNotContain("\n");
            } catch (Throwable other) {
                fail("mutation " + i + " is neither opened nor refused", other);
            }
        }
        assertThat(opened).as("opened all the same").isLessThan(count);
    }
}
