package dev.obr.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.BatchOptions;
import dev.obr.server.TestServer.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that leave, lie, come too many at once or know no key, and servers that end. */
@Timeout(300) // a hang is a failure; nothing here measures time
class FaultsTest {
    private static final String TEXT = "/v1/completions";

    private static String endless(String prompt) {
        return "{\"prompt\": \"" + prompt + "\", \"max_tokens\": -1, \"stream\": true}";
    }

    /** Sends a request and leaves the answer unread. */
    private static Socket ask(TestServer server, String body) throws IOException {
        Socket socket = new Socket("127.0.0.1", server.api.port());
        send(socket, body);
        return socket;
    }

    private static void send(Socket socket, String body) throws IOException {
        OutputStream out = socket.getOutputStream();
        int length = body.getBytes(StandardCharsets.UTF_8).length;
        String head = "POST " + TEXT + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + "\r\n\r\n";
        out.write((head + body).getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static void awaitIdle(TestServer server) throws InterruptedException {
        while (server.status().running() + server.status().waiting() > 0) {
            Thread.sleep(5);
        }
    }

    @Test
    void aTextWhoseClientLeavesEnds() throws Exception {
        try (TestServer server = TestServer.ordinary()) {
            for (int i = 0; i < 8; i++) {
                try (Socket socket = ask(server, endless("The sea"))) {
                    InputStream in = socket.getInputStream();
                    assertThat(in.readNBytes(200)).hasSize(200); // the answer has begun
                }
            }
            awaitIdle(server);
            // A text in full has 500 tokens.
            assertThat(server.status().generatedTokens()).isLessThan(8 * 500);
        }
    }

    /** It asks for as many texts as are computed together, more than a megabyte of events: they do not all lie on the way to it. */
    @Test
    void aClientThatDoesNotReadHoldsNobodyUp() throws Exception {
        String body = endless("The old man").replace("{", "{\"n\": 16, ");
        try (TestServer server = TestServer.ordinary();
                Socket silent = new Socket()) {
            silent.setReceiveBufferSize(1024);
            silent.connect(new InetSocketAddress("127.0.0.1", server.api.port()));
            send(silent, body);
            while (server.status().generatedTokens() == 0) {
                Thread.sleep(1);
            }
            for (int i = 0; i < 3; i++) {
                assertThat(server.post(TEXT, "{\"prompt\": \"The\", \"max_tokens\": 5}")
                                .status())
                        .isEqualTo(200);
            }
            awaitIdle(server); // all is computed, though nothing was read
        }
    }

    @Test
    void aFullQueueTellsClientsToComeAgain() throws Exception {
        BatchOptions one = BatchOptions.defaults().withRunning(1).withWaiting(1);
        try (TestServer server = new TestServer(ServerOptions.defaults(), one);
                Socket running = ask(server, endless("The sea"));
                Socket waiting = ask(server, endless("The sea"))) {
            assertThat(running.getInputStream().readNBytes(20)).hasSize(20);
            assertThat(waiting.isConnected()).isTrue();
            Answer last = server.post(TEXT, "{\"prompt\": \"a\", \"n\": 8, \"max_tokens\": 1}"); // more than may wait
            assertThat(last.status()).isEqualTo(429);
            assertThat(last.response().headers().firstValue("Retry-After")).isPresent();
        }
    }

    @Test
    void anAnswerThatTakesTooLongIsGivenUp() throws Exception {
        ServerOptions hasty = ServerOptions.defaults().withTimeout(Duration.ofMillis(1));
        try (TestServer server = new TestServer(hasty, BatchOptions.defaults())) {
            Answer whole = server.post(TEXT, "{\"prompt\": \"The sea\", \"max_tokens\": -1}");
            assertThat(whole.status()).isEqualTo(504);
            assertThat(whole.errorCode()).isEqualTo("timeout");
            Answer chat = server.post(
                    "/v1/chat/completions",
                    "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"stream\": true}");
            assertThat(chat.status()).isEqualTo(200); // the stream has begun: the error is an event
            assertThat(chat.body()).contains("\"code\":\"timeout\"").endsWith("data: [DONE]\n\n");
            awaitIdle(server);
        }
    }

    @Test
    void onlyThoseWithAKeyAreServed() {
        ServerOptions options = ServerOptions.defaults().withKeys(Set.of("secret", "other"));
        try (TestServer server = new TestServer(options, BatchOptions.defaults())) {
            assertThat(server.get("/health").status()).isEqualTo(200);
            assertThat(server.get("/").status()).isEqualTo(200);
            assertThat(server.get("/v1/models").status()).isEqualTo(401);
            Answer wrong = server.get("/metrics", "Authorization", "Bearer secre");
            assertThat(wrong.status()).isEqualTo(401);
            assertThat(wrong.errorCode()).isEqualTo("invalid_api_key");
            assertThat(wrong.body()).doesNotContain("secre");
            assertThat(server.get("/v1/models", "Authorization", "Bearer secret")
                            .status())
                    .isEqualTo(200);
            assertThat(server.get("/v1/models", "X-Api-Key", "other").status()).isEqualTo(200);
        }
    }

    @Test
    void pagesOfOtherSitesAreRefused() {
        try (TestServer server = TestServer.ordinary()) {
            assertThat(server.post(TEXT, "{}", "Sec-Fetch-Site", "cross-site").status())
                    .isEqualTo(403);
        }
    }

    @Test
    void bodiesThatAreTooLargeTooDeepOrNoTextAreRefused() {
        try (TestServer server = TestServer.ordinary()) {
            assertThat(server.post(TEXT, new byte[10_000_001]).status()).isEqualTo(413);
            assertThat(server.post(TEXT, "[".repeat(100_000)).status()).isEqualTo(400);
            assertThat(server.post(TEXT, new byte[] {'"', (byte) 0xFF, '"'}).status())
                    .isEqualTo(400);
            assertThat(server.post(TEXT, "").status()).isEqualTo(400);
        }
    }

    @Test
    void beforeTheModelIsThereClientsHearSo() {
        try (ApiServer server = ApiServer.start(ServerOptions.defaults().withPort(0), line -> {})) {
            assertThat(server.status()).isNull();
            assertThatThrownBy(() -> ApiServer.start(ServerOptions.defaults().withPort(server.port()), line -> {}))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("Port " + server.port());
            try (Socket socket = new Socket("127.0.0.1", server.port())) {
                socket.getOutputStream()
                        .write("GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                                .getBytes(StandardCharsets.UTF_8));
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(answer).startsWith("HTTP/1.1 503").contains("Loading model");
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void aServerThatEndsLetsAnswersFinish() throws Exception {
        try (TestServer server = TestServer.ordinary()) {
            CompletableFuture<Answer> answer =
                    CompletableFuture.supplyAsync(() -> server.post(TEXT, endless("The sea")));
            while (server.status().generatedTokens() == 0) {
                Thread.sleep(1);
            }
            assertThat(server.api.drain(Duration.ofMinutes(4))).isTrue();
            assertThat(answer.get().body()).endsWith("data: [DONE]\n\n").doesNotContain("\"error\"");
            assertThat(server.get("/health").status()).isEqualTo(503);
        }
    }

    @Test
    void aServerThatIsClosedTellsItsClients() throws Exception {
        try (TestServer server = TestServer.ordinary();
                Socket socket = ask(server, endless("The sea").replace("{", "{\"n\": 64, "))) {
            InputStream in = socket.getInputStream();
            assertThat(in.readNBytes(200)).hasSize(200); // the answer has begun: its status is sent
            assertThat(server.api.drain(Duration.ZERO)).isFalse(); // some are left
            server.api.close();
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .contains("\"code\":\"unavailable_error\"")
                    .contains("data: [DONE]\n\n");
        }
    }
}
