package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.Session;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The programs in {@code examples}, run from their sources against the runnable jar, as their first lines say. */
@Timeout(120)
class ExamplesIT {
    private static final String JAR = System.getProperty("obr.jar", "target/obr-runtime.jar");
    private static final Path MODELS = Path.of("../runtime/src/test/resources/models");
    private static final Path STORIES = MODELS.resolve("stories260K");
    private static final String BEGINNING = ", there was a little girl named Lily.";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void everyExampleIsRunHere() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("../examples"))) {
            assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".java")))
                    .containsExactlyInAnyOrder(
                            "Batch.java",
                            "Cancel.java",
                            "Chat.java",
                            "Compress.java",
                            "Generate.java",
                            "WebHandler.java");
        }
    }

    @Test
    void generateContinuesAText() throws Exception {
        assertThat(run("", "Generate", STORIES.toString(), "Once upon a time").length())
                .isGreaterThan(200);
    }

    @Test
    void batchContinuesSeveral() throws Exception {
        assertThat(run("", "Batch", STORIES.toString(), "Once upon a time", "The cat", "One day")
                        .lines())
                .hasSizeGreaterThanOrEqualTo(3);
    }

    @Test
    void chatAnswers() throws Exception {
        assertThat(run("Hello\n", "Chat", chatty().toString())).isNotBlank().endsWith("\n");
    }

    @Test
    void cancelEndsATextThatWouldGoOn() throws Exception {
        assertThat(run("", "Cancel", MODELS.resolve("qwen2").toString(), "Once upon a time"))
                .containsPattern("\n(CANCELLED|STOP|LENGTH) after [0-9]+ tokens\n$");
    }

    @Test
    void compressWritesAModelThatRuns() throws Exception {
        Path text = Files.writeString(folder.resolve("text.txt"), "Once upon a time there was a rabbit. ".repeat(300));
        Path out = folder.resolve("packed");
        assertThat(run("", "Compress", STORIES.toString(), text.toString(), out.toString()))
                .contains("layer 5 of 5 is compressed");
        try (LanguageModel packed = LanguageModel.open(out, RuntimeOptions.defaults());
                Session session = packed.newSession()) {
            assertThat(session.generate("Once upon", GenerationOptions.greedy().withMaxTokens(8))
                            .result()
                            .tokenIds())
                    .hasSize(8);
        }
    }

    @Test
    void webHandlerWritesForManyAtOnce() throws Exception {
        Process server = start("WebHandler", STORIES.toString(), "0");
        try (BufferedReader out = server.inputReader(StandardCharsets.UTF_8);
                HttpClient client = HttpClient.newHttpClient()) {
            URI address = URI.create(String.valueOf(out.readLine()));
            HttpRequest request = HttpRequest.newBuilder(address)
                    .POST(HttpRequest.BodyPublishers.ofString("Once upon a time"))
                    .build();
            var answers = Stream.generate(() -> client.sendAsync(request, HttpResponse.BodyHandlers.ofString()))
                    .limit(4)
                    .toList();
            for (var answer : answers) {
                assertThat(answer.get().body()).startsWith(BEGINNING);
            }
            try (InputStream leftEarly = client.send(request, HttpResponse.BodyHandlers.ofInputStream())
                    .body()) {
                assertThat(leftEarly.read()).isEqualTo(',');
            }
            assertThat(client.send(request, HttpResponse.BodyHandlers.ofString())
                            .body())
                    .startsWith(BEGINNING);
            server.getOutputStream().close();
            assertThat(server.waitFor()).isZero();
        } finally {
            server.destroyForcibly();
        }
    }

    /** A model of random weights that has the tokens of ChatML, and here its template. */
    private Path chatty() throws IOException {
        Path model = Files.createDirectory(folder.resolve("chatty"));
        try (Stream<Path> files = Files.list(MODELS.resolve("qwen2"))) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
        Files.writeString(
                model.resolve("chat_template.jinja"),
                "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n'}}"
                        + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}");
        return model;
    }

    private String run(String input, String example, String... arguments) throws Exception {
        Process process = start(example, arguments);
        try (var in = process.outputWriter(StandardCharsets.UTF_8)) {
            in.write(input);
        }
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as(Files.readString(folder.resolve("err")))
                .isZero();
        assertThat(folder.resolve("err")).as("nothing but results is printed").isEmptyFile();
        return out;
    }

    private Process start(String example, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dstdout.encoding=UTF-8",
                "-cp",
                JAR,
                "../examples/" + example + ".java"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("OBR_") || name.equals("JAVA_TOOL_OPTIONS"));
        return builder.redirectError(folder.resolve("err").toFile()).start();
    }
}
