package dev.obr.peers;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.SafeTensorSupport;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.StringJoiner;

/**
 * Measures Jlama's tokens per second as llama-bench does, from token ids, so that no end token stops a generation.
 *
 * <pre>
 * JlamaBench quantize HF-FOLDER OUT                    weights to Jlama's Q4
 * JlamaBench bench FOLDER THREADS PROMPTS GENERATED    one line of JSON, of prompt lengths such as 128,512
 * </pre>
 */
public final class JlamaBench {
    private final AbstractModel model;
    private final KvBufferCache caches;
    private final Random random = new Random(0);

    private JlamaBench(Path folder, int threads) {
        // Activations in 8 bits, everything else in floats: what Jlama's command line and its examples choose.
        model = ModelSupport.loadModel(
                folder.toFile(), null, DType.F32, DType.I8, Optional.empty(), Optional.of(threads));
        caches = new KvBufferCache(model);
    }

    public static void main(String[] args) throws IOException {
        switch (args[0]) {
            case "quantize" -> quantize(Path.of(args[1]), Path.of(args[2]));
            case "bench" ->
                bench(new JlamaBench(Path.of(args[1]), Integer.parseInt(args[2])), args[3], Integer.parseInt(args[4]));
            default -> throw new IllegalArgumentException("quantize or bench, not " + args[0]);
        }
    }

    private static void quantize(Path folder, Path out) throws IOException {
        // Jlama copies this file, and fails without one.
        if (Files.notExists(folder.resolve("README.md"))) {
            Files.writeString(folder.resolve("README.md"), "Random weights.\n");
        }
        SafeTensorSupport.quantizeModel(folder, DType.Q4, null, null, Optional.of(out));
    }

    private static void bench(JlamaBench bench, String prompts, int generated) {
        var line = new StringJoiner(", ", "{", "}");
        for (int length :
                Arrays.stream(prompts.split(",")).mapToInt(Integer::parseInt).toArray()) {
            bench.prompt(length); // warms up
            line.add(String.format(Locale.ROOT, "\"pp%d\": %.3f", length, length / bench.prompt(length)));
        }
        bench.generation(generated); // warms up
        line.add(String.format(Locale.ROOT, "\"tg\": %.3f", generated / bench.generation(generated)));
        line.add("\"by\": \"%s, %s, cache f32\""
                .formatted(version(), TensorOperationsProvider.get().name()));
        System.out.println(line);
    }

    /** Seconds to compute a prompt, up to the token that follows it. */
    private double prompt(int length) {
        int[] ids = random.ints(length, 0, model.getConfig().vocabularySize).toArray();
        try (var cache = caches.getEphemeralKvBuffer();
                var logits = logits()) {
            long start = System.nanoTime();
            try (var last = model.batchForward(ids, 0, cache)) {
                model.sample(last.slice(last.shape().first() - 1), 0, 0, logits);
            }
            return (System.nanoTime() - start) * 1e-9;
        }
    }

    /** Seconds to generate tokens greedily from an empty context, whatever they are. */
    private double generation(int tokens) {
        int next = random.nextInt(model.getConfig().vocabularySize);
        try (var cache = caches.getEphemeralKvBuffer();
                var logits = logits()) {
            long start = System.nanoTime();
            for (int position = 0; position < tokens; position++) {
                try (var output = model.forward(next, position, cache, Optional.empty())) {
                    next = model.sample(output, 0, 0, logits);
                }
                cache.incrementContextPosition();
            }
            return (System.nanoTime() - start) * 1e-9;
        }
    }

    /** The jar's name: its manifest tells no version. */
    private static String version() {
        var jar = AbstractModel.class.getProtectionDomain().getCodeSource().getLocation();
        return Path.of(jar.getPath()).getFileName().toString().replace(".jar", "");
    }

    private AbstractTensor logits() {
        return model.makeDenseTensor(model.getConfig().vocabularySize);
    }
}
