package dev.obr.models.demo;

import dev.obr.kernels.ObrException;
import dev.obr.models.Model;
import dev.obr.models.file.JsonFile;
import dev.obr.models.huggingface.HuggingFaceModel;
import dev.obr.models.packed.CompanionFiles;
import dev.obr.models.safetensors.SafetensorsFile;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URL;
import java.net.URLConnection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * The model that ships with the project: 6.8 million parameters, trained on public-domain novels. A base model: it continues text and knows no chat.
 *
 * <p>It is read from the class path straight into off-heap memory; no file is written.
 */
public final class DemoModel {
    /** For people. */
    public static final String NAME = "obr-books-7m (demo)";

    private static final int CHUNK = 1 << 16;

    private DemoModel() {}

    /** Opens the demo model. */
    public static Model open() {
        Arena arena = Arena.ofShared();
        // inflating the weights takes as long as the first use of the JSON library: side by side
        CompletableFuture<MemorySegment> weights = CompletableFuture.supplyAsync(
                () -> offHeap("model.safetensors", arena),
                task -> Thread.ofPlatform().daemon().name("obr-demo-model").start(task));
        try {
            JsonFile config = json("config.json");
            JsonFile generation = json("generation_config.json");
            JsonFile tokenizerConfig = json("tokenizer_config.json");
            byte[] tokenizer = bytes("tokenizer.json");
            SafetensorsFile tensors = SafetensorsFile.of(weights.join(), NAME + "/model.safetensors");
            return new HuggingFaceModel(
                            NAME, NAME, config, generation, tokenizer, tokenizerConfig, null, tensors.tensors())
                    .assemble(arena);
        } catch (CompletionException failure) {
            arena.close();
            throw failure.getCause() instanceof ObrException sentence ? sentence : failure;
        } catch (RuntimeException | Error failure) {
            weights.handle((memory, ignored) -> memory).join(); // the arena must not close while it is being filled
            arena.close();
            throw failure;
        }
    }

    /** The small files that travel with its weights. */
    public static CompanionFiles companions() {
        Map<String, byte[]> contents = new LinkedHashMap<>();
        for (String file : List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json")) {
            contents.put(file, bytes(file));
        }
        return CompanionFiles.of(contents);
    }

    private static JsonFile json(String file) {
        return JsonFile.parse(bytes(file), NAME + "/" + file);
    }

    private static byte[] bytes(String file) {
        try (InputStream in = connection(file).getInputStream()) {
            return in.readAllBytes();
        } catch (IOException failure) {
            throw unreadable(file, failure);
        }
    }

    /** Copies a resource chunk by chunk, so that it is never on the heap as a whole. */
    private static MemorySegment offHeap(String file, Arena arena) {
        try {
            URLConnection connection = connection(file);
            MemorySegment memory = arena.allocate(connection.getContentLengthLong(), 64);
            try (InputStream in = connection.getInputStream()) {
                byte[] chunk = new byte[CHUNK];
                long position = 0;
                for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
                    MemorySegment.copy(MemorySegment.ofArray(chunk), 0, memory, position, n);
                    position += n;
                }
            }
            return memory.asReadOnly();
        } catch (IOException failure) {
            throw unreadable(file, failure);
        }
    }

    private static URLConnection connection(String file) throws IOException {
        URL url = DemoModel.class.getResource(file);
        if (url == null) {
            throw new ObrException("the demo model's " + file + " is missing from the class path; build the project"
                    + " again or name a model with --model");
        }
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        return connection;
    }

    private static ObrException unreadable(String file, IOException failure) {
        return new ObrException("the demo model's " + file + " cannot be read: " + failure.getMessage(), failure);
    }
}
