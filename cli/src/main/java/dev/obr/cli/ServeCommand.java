package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.server.ApiServer;
import dev.obr.server.ServerOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code serve}: a model behind HTTP, until Ctrl-C. */
@Command(
        name = "serve",
        description =
                "Answer over HTTP as OpenAI's API does: chat, completions, streaming; and show a page to chat with.")
final class ServeCommand implements Callable<Integer> {
    private static final int BODY_LIMIT = 10_000_000;

    private final Console console;
    private final CommonOptions common;
    private final Interruption interruption;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Where to listen; 0.0.0.0 is every network of this machine. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String host;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8080",
            description = "0 takes a free one. Default: ${DEFAULT-VALUE}.")
    private int port;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description =
                    "What clients must send as a bearer token. All users of this machine can read it in the list of processes: OBR_API_KEY and --api-key-file keep it out of there.")
    private @Nullable String apiKey;

    @Option(names = "--api-key-file", paramLabel = "FILE", description = "Keys that clients may send, one a line.")
    private @Nullable Path apiKeyFile;

    @Option(
            names = "--max-concurrent",
            paramLabel = "N",
            defaultValue = "16",
            description = "Texts at most that are computed together. Default: ${DEFAULT-VALUE}.")
    private int maxConcurrent;

    @Option(
            names = "--queue",
            paramLabel = "N",
            defaultValue = "256",
            description =
                    "Texts at most that wait for their turn; more are told to come again. Default: ${DEFAULT-VALUE}.")
    private int queue;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "600",
            description = "The longest that one request may take. Default: ${DEFAULT-VALUE}.")
    private long timeout;

    @Option(
            names = "--drain",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "How long running answers may go on after Ctrl-C or SIGTERM. Default: ${DEFAULT-VALUE}.")
    private long drain;

    @Option(names = "--alias", paramLabel = "NAME", description = "The model's name in answers.")
    private @Nullable String alias;

    ServeCommand(Console console, CommonOptions common, Interruption interruption) {
        this.console = console;
        this.common = common;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws InterruptedException {
        ServerOptions options = options();
        BatchOptions batch = batch();
        warn(options);
        CountDownLatch end = new CountDownLatch(1);
        try (ApiServer server = ApiServer.start(options, console::note)) {
            interruption.onInterrupt(end::countDown, Duration.ofSeconds(drain));
            try (LanguageModel languageModel = model.open();
                    server) { // which ends before the model does
                if (!common.quiet()) {
                    console.note(Notes.model(languageModel));
                }
                server.serve(languageModel, batch);
                if (!common.quiet()) {
                    console.note("listening at " + address(server.port()));
                }
                end.await();
                if (!server.drain(Duration.ofSeconds(drain))) {
                    console.note("answers that took longer than " + drain + " seconds were cut short");
                }
            }
        }
        return CommandLineApplication.DONE;
    }

    private ServerOptions options() {
        try {
            return new ServerOptions(host, port, keys(), alias, Duration.ofSeconds(timeout), BODY_LIMIT);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private BatchOptions batch() {
        if (drain < 0) {
            throw new ParameterException(
                    spec.commandLine(), "The option drain is " + drain + ", but must be 0 or more.");
        }
        try {
            return BatchOptions.defaults().withRunning(maxConcurrent).withWaiting(queue);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private Set<String> keys() {
        Set<String> keys = new LinkedHashSet<>();
        if (apiKey != null) {
            keys.add(apiKey.strip());
        }
        if (apiKeyFile != null) {
            try (var lines = Files.lines(apiKeyFile)) {
                lines.map(String::strip).filter(line -> !line.isEmpty()).forEach(keys::add);
            } catch (IOException | java.io.UncheckedIOException e) {
                throw new ObrException("The file of API keys " + apiKeyFile + " cannot be read as UTF-8 text.", e);
            }
            if (keys.isEmpty()) {
                throw new ObrException("The file of API keys " + apiKeyFile + " holds none: write one a line.");
            }
        }
        return keys;
    }

    private void warn(ServerOptions options) {
        if (options.keys().isEmpty() && !loopback()) {
            console.note("warning: everyone who reaches " + host
                    + " may use this server: set OBR_API_KEY or --api-key-file, or listen at 127.0.0.1");
        }
        if (spec.commandLine().getParseResult().hasMatchedOption("--api-key")) {
            console.note(
                    "note: a key given as --api-key can be read in the list of processes; OBR_API_KEY and --api-key-file keep it out of there");
        }
    }

    private boolean loopback() {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false; // listening there fails with a sentence of its own
        }
    }

    private String address(int boundPort) {
        String shown = host.contains(":") ? "[" + host + "]" : host;
        return "http://" + shown + ":" + boundPort;
    }
}
