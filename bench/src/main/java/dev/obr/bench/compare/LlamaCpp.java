package dev.obr.bench.compare;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** llama.cpp's programs in a folder. */
public final class LlamaCpp {
    /** The quantisation that is compared with: 4 bits, 4.5 with the scales, and its fastest. */
    private static final String TYPE = "Q4_0";

    private final Path folder;

    /** @throws ObrException if the programs are not there */
    public LlamaCpp(Path folder) {
        this.folder = folder.toAbsolutePath();
        for (String program : List.of("llama-bench", "llama-quantize")) {
            if (!Files.isExecutable(this.folder.resolve(program))) {
                throw new ObrException("There is no " + program + " in " + folder
                        + ": give the folder where llama.cpp's programs were built.");
            }
        }
    }

    /** The model in 4 bits beside {@code halfFloats}, made where it is missing. */
    public Path quantized(Path halfFloats, Path folder, int threads) {
        String name = halfFloats.getFileName().toString().replaceFirst("(-f16)?\\.gguf$", "");
        Path out = folder.resolve(name + "-q4_0.gguf");
        if (!Files.exists(out)) {
            Path partial = folder.resolve(name + "-q4_0.gguf.partial");
            run("llama-quantize", List.of(halfFloats.toString(), partial.toString(), TYPE, Integer.toString(threads)));
            try {
                Files.move(partial, out, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                throw new ObrException("cannot write " + out + ": " + e.getMessage());
            }
        }
        return out;
    }

    /** Its speed with a model. */
    public Contender contender(String name, Path model, CompareTests tests, int threads) {
        return new Contender() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public boolean ours() {
                return false;
            }

            @Override
            public Rates measure() {
                return bench(model, tests, threads);
            }
        };
    }

    private Contender.Rates bench(Path model, CompareTests tests, int threads) {
        List<String> arguments = new ArrayList<>(List.of("-m", model.toString()));
        arguments.addAll(List.of("-p", tests.promptList(), "-n", Integer.toString(tests.generated())));
        arguments.addAll(List.of("-t", Integer.toString(threads), "-r", "1", "-o", "json"));
        return LlamaBenchOutput.parse(run("llama-bench", arguments));
    }

    /** Its libraries lie beside its programs. */
    private String run(String program, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(folder.resolve(program).toString()));
        command.addAll(arguments);
        return ChildProgram.output(command, Map.of("LD_LIBRARY_PATH", folder.toString()));
    }
}
