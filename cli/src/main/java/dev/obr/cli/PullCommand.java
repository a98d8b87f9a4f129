package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.models.hub.HubOptions;
import dev.obr.models.hub.ModelHub;
import dev.obr.models.hub.ModelReference;
import dev.obr.models.hub.PullProgress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pull}: a model comes from the hub. */
@Command(
        name = "pull",
        description =
                "Fetch a model from the Hugging Face hub into the folder that Python's huggingface_hub keeps; prints the model's folder.",
        footer = {
            "",
            "What is there already is not fetched again, and what was interrupted goes on. HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_HUB_OFFLINE and HTTPS_PROXY count.",
            "",
            "  obr-runtime.jar pull Qwen/Qwen3-0.6B",
            "  obr-runtime.jar chat --model Qwen/Qwen3-0.6B",
            "  obr-runtime.jar pull Qwen/Qwen3-0.6B-GGUF@main --file '*Q8_0.gguf'"
        })
final class PullCommand implements Callable<Integer> {
    private final Console console;
    private final CommonOptions common;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(
            paramLabel = "ORG/NAME[@REVISION]",
            description = "The model, and which branch, tag or commit of it; main without one.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String model;

    @Option(
            names = "--file",
            paramLabel = "GLOB",
            description =
                    "Only the files of these names, such as '*Q4_K_M.gguf'; may be given several times. Without it, what the model is opened from: safetensors or the only GGUF file, config, tokenizer, licence. Pickles (.bin, .pt, .pth, .pkl) can run code and are never fetched.")
    private List<String> files = new ArrayList<>();

    PullCommand(Console console, CommonOptions common) {
        this.console = console;
        this.common = common;
    }

    @Override
    public Integer call() {
        ModelReference reference = reference();
        if (files.stream().anyMatch(String::isEmpty)) {
            throw new ParameterException(spec.commandLine(), "--file is empty; give a name, such as '*.gguf'");
        }
        ModelHub hub = new ModelHub(HubOptions.fromEnvironment(console.environment()));
        PullProgress progress = common.quiet() ? PullProgress.SILENT : new PullNotes(console, reference.toString());
        Path folder = hub.pull(reference, files, progress);
        console.println(folder.toString());
        return CommandLineApplication.DONE;
    }

    private ModelReference reference() {
        try {
            return ModelReference.parse(model);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
