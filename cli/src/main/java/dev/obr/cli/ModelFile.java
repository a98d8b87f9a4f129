package dev.obr.cli;

import dev.obr.models.Model;
import dev.obr.models.demo.DemoModel;
import dev.obr.models.loader.ModelLoader;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which model, for verbs that look at it without running it. */
final class ModelFile {
    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            description =
                    "A Hugging Face folder, a GGUF file, or ORG/NAME of a pulled model; without it, the small model that is built in.")
    private @Nullable ModelArgument model;

    Model open() {
        return model == null ? DemoModel.open() : ModelLoader.open(model.path());
    }
}
