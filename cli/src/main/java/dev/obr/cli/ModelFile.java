package dev.obr.cli;

import dev.obr.models.Model;
import dev.obr.models.demo.DemoModel;
import dev.obr.models.loader.ModelLoader;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which model, for verbs that look at it without running it. */
final class ModelFile {
    @Option(
            names = {"-m", "--model"},
            paramLabel = "PATH",
            description = "A Hugging Face folder or a GGUF file; without it, the small model that is built in.")
    private @Nullable Path model;

    Model open() {
        return model == null ? DemoModel.open() : ModelLoader.open(model);
    }
}
