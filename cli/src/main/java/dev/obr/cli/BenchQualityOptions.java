package dev.obr.cli;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What {@code bench quality} compresses and measures. */
final class BenchQualityOptions {
    @Option(
            names = {"-m", "--model"},
            paramLabel = "PATH",
            required = true,
            description = "The model to compress: a Hugging Face folder or a GGUF file.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    Path model;

    @Option(
            names = "--methods",
            paramLabel = "LIST",
            split = ",",
            defaultValue = "obr-plus/residual/auto,obr-gptq,rtn",
            description =
                    "Methods, each as METHOD, METHOD/TARGET or METHOD/TARGET/PERMUTE in the words of compress; target layer and permute off where they are not said. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    List<String> methods;

    @Option(
            names = "--patterns",
            paramLabel = "LIST",
            split = ",",
            defaultValue = "unstructured,32:64,2:4,4:8p",
            description = "Patterns, for each method that prunes. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    List<String> patterns;

    @Option(
            names = "--precisions",
            paramLabel = "LIST",
            split = ",",
            defaultValue = "A16KV16,A8KV4,A4KV4",
            description = "Bits of activations and cache that each is measured with. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    List<String> precisions;

    @Option(
            names = "--bits",
            paramLabel = "N",
            defaultValue = "4",
            description = "Bits of a weight of the linear layers. Default: ${DEFAULT-VALUE}.")
    int bits;

    @Option(
            names = "--head-bits",
            paramLabel = "LIST",
            split = ",",
            defaultValue = "16",
            description = "Bits of the LM head: 4, 8 or 16 (floats). Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    List<Integer> headBits;

    @Option(
            names = "--calibration",
            paramLabel = "FILE",
            required = true,
            description = "The text to calibrate on: plain, JSON lines (.jsonl) or a JSON list of texts (.json).")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    Path calibration;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "128",
            description = "Windows of that text. Default: ${DEFAULT-VALUE}.")
    int samples;

    @Option(
            names = "--seqlen",
            paramLabel = "N",
            defaultValue = "2048",
            description = "Tokens of a window, at most the model's context. Default: ${DEFAULT-VALUE}.")
    int seqlen;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            required = true,
            description = "The text whose perplexity is measured, of the same kinds.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    Path text;

    @Option(
            names = {"-c", "--context"},
            paramLabel = "N",
            defaultValue = "0",
            description = "Tokens of a window of it; 0 is 2048 or the model's context. Default: ${DEFAULT-VALUE}.")
    int context;

    @Option(
            names = "--windows",
            paramLabel = "N",
            defaultValue = "0",
            description = "At most N windows of it; 0 is all. Default: ${DEFAULT-VALUE}.")
    int windows;

    @Option(
            names = "--tasks",
            paramLabel = "LIST",
            split = ",",
            description = "Zero-shot tasks, as eval --tasks has them; their mean accuracy is measured.")
    List<String> tasks = List.of();

    @Option(names = "--tasks-dir", paramLabel = "DIR", description = "The folder that holds TASK.jsonl for each task.")
    @Nullable
    Path tasksFolder;

    @Option(
            names = "--items",
            paramLabel = "N",
            defaultValue = "0",
            description = "At most N items of each task; 0 is all. Default: ${DEFAULT-VALUE}.")
    int items;

    @Option(
            names = "--speed-tokens",
            paramLabel = "N",
            defaultValue = "64",
            description =
                    "Tokens that are generated, five times, to measure the speed; 0 measures none. Default: ${DEFAULT-VALUE}.")
    int speedTokens;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    ThreadsOption threads;

    void require(String option, int value, int least, int most, CommandSpec verb) {
        if (value < least || value > most) {
            throw new ParameterException(
                    verb.commandLine(), option + " is " + value + ", but must be from " + least + " to " + most);
        }
    }
}
