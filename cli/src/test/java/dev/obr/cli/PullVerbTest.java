package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.obr.models.file.FolderName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** {@code pull} from a hub on this machine, and models by their names on the hub. */
class PullVerbTest {
    private static final Path MODEL = Path.of("../models/src/test/resources/packed/format-1");
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    @TempDir
    Path cache;

    private HttpServer hub;

    @BeforeEach
    void startHub() throws IOException {
        hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        hub.createContext("/api/models/org/tiny/revision/main", exchange -> send(exchange, 200, listing()));
        hub.createContext("/org/tiny/resolve/" + COMMIT + "/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            send(exchange, 200, Files.readAllBytes(MODEL.resolve(path.substring(path.lastIndexOf('/') + 1))));
        });
        hub.createContext("/", exchange -> send(exchange, 404, new byte[0]));
        hub.start();
    }

    @AfterEach
    void stopHub() {
        hub.stop(0);
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static byte[] listing() throws IOException {
        try (Stream<Path> files = Files.list(MODEL)) {
            String siblings = files.map(PullVerbTest::sibling).collect(Collectors.joining(","));
            return ("{\"sha\":\"" + COMMIT + "\",\"siblings\":[" + siblings + "]}").getBytes(StandardCharsets.UTF_8);
        }
    }

    private static String sibling(Path file) {
        try {
            byte[] content = Files.readAllBytes(file);
            String hash = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(content));
            return "{\"rfilename\":\"" + file.getFileName() + "\",\"lfs\":{\"size\":" + content.length
                    + ",\"sha256\":\"" + hash + "\"}}";
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private Ran run(String... arguments) {
        Map<String, String> environment = Map.of(
                "HF_ENDPOINT", "http://127.0.0.1:" + hub.getAddress().getPort(), "HF_HUB_CACHE", cache.toString());
        return Ran.with(environment, new byte[0], arguments);
    }

    @Test
    void pullPrintsTheFolderAndVerbsFindTheModel() {
        Ran ran = run("pull", "org/tiny");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        Path folder = cache.resolve("models--org--tiny/snapshots").resolve(COMMIT);
        assertThat(ran.out()).isEqualTo(folder + "\n");
        assertThat(ran.err()).startsWith("org/tiny: 6 files, ").contains("model.safetensors, ");
        assertThat(run("pull", "org/tiny").err()).isEqualTo("org/tiny: all files are here\n");
        assertThat(run("pull", "--quiet", "org/tiny").err()).isEmpty();
        Ran generated = run("generate", "-m", "org/tiny", "-p", "a", "-n", "2", "--json");
        assertThat(generated.exitCode()).as(generated.err()).isZero();
        assertThat(JsonMapper.shared().readTree(generated.out()).get("model").asString())
                .isEqualTo("org/tiny");
        for (List<String> verb : List.of(
                List.of("inspect", "-m", "org/tiny@main"),
                List.of("tokenize", "-p", "a", "-m", "org/tiny@" + COMMIT),
                List.of("bench", "--warm-up", "0", "-p", "2", "-n", "0", "-r", "1", "-m", "org/tiny"))) {
            Ran other = run(verb.toArray(String[]::new));
            assertThat(other.exitCode()).as(verb + ": " + other.err()).isZero();
        }
        assertThat(FolderName.of(folder)).isEqualTo("org/tiny");
    }

    @Test
    void filesAreChosenByPatterns() {
        Ran ran = run("pull", "org/tiny", "--file", "*config.json", "--file", "tokenizer.json");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(Path.of(ran.out().strip())).isDirectoryNotContaining("glob:**.safetensors");
        assertThat(run("pull", "org/tiny", "--file", "*.gguf").err())
                .startsWith("error: org/tiny has no file '*.gguf'; it has ");
    }

    @Test
    void aModelThatWasNotPulledNamesTheCommand() {
        for (String[] arguments : new String[][] {
            {"generate", "-p", "x", "-m", "org/tiny"},
            {"inspect", "-m", "org/tiny"},
            {"bench", "-m", "org/tiny"},
            {"compress", "org/tiny", "out", "--bits-report"}
        }) {
            Ran ran = run(arguments);
            assertThat(ran.exitCode()).isEqualTo(1);
            assertThat(ran.err())
                    .startsWith("error: org/tiny does not exist and was not pulled; fetch it with"
                            + " 'obr-runtime.jar pull org/tiny'")
                    .hasLineCount(1);
        }
    }

    @Test
    void aPathWins() {
        assertThat(run("inspect", "-m", "src/test").err()).startsWith("error: src/test holds neither");
    }

    @Test
    void aModelThatTheHubLacksIsOneSentence() {
        Ran ran = run("pull", "org/other");
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err())
                .startsWith("error: org/other does not exist at http")
                .hasLineCount(1);
    }
}
