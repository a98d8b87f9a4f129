package dev.obr.models.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A hub on this machine with the model {@code org/tiny}: small files from itself, large ones by a redirect to a second server, as the hub's storage is. */
final class HubStub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    /** What a server was asked. */
    record Request(
            String server,
            String method,
            String path,
            @Nullable String range,
            @Nullable String token,
            @Nullable String proxyPassword) {}

    /** Answers a request instead of the stub. */
    @FunctionalInterface
    interface Fault {
        void answer(HttpExchange exchange, byte[] content) throws IOException;
    }

    private final HttpServer hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final HttpServer storage = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, byte[]> small = new LinkedHashMap<>();
    private final Map<String, byte[]> large = new LinkedHashMap<>();
    private final Map<String, Deque<Fault>> faults = new ConcurrentHashMap<>();
    private final List<Request> requests = Collections.synchronizedList(new ArrayList<>());
    private volatile @Nullable String listing;
    private volatile String commit = COMMIT;

    HubStub() throws IOException {
        hub.createContext("/api/models/", exchange -> answer("hub", exchange, this::list));
        hub.createContext("/org/tiny/resolve/", exchange -> answer("hub", exchange, this::resolve));
        storage.createContext("/", exchange -> answer("storage", exchange, this::store));
        for (HttpServer server : List.of(hub, storage)) {
            server.setExecutor(threads);
            server.start();
        }
    }

    /** A file as git keeps it. */
    HubStub small(String path, String content) {
        small.put(path, content.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    /** A file of large-file storage. */
    HubStub large(String path, byte[] content) {
        large.put(path, content);
        return this;
    }

    /** The next requests for a path's end ({@code model.safetensors}, {@code /revision/main}) are answered so; a null is a right answer. */
    HubStub faults(String pathEnd, Fault... next) {
        faults.put(pathEnd, new ArrayDeque<>(Arrays.asList(next)));
        return this;
    }

    /** What is listed instead of the files. */
    void listing(String json) {
        listing = json;
    }

    /** The branch goes on. */
    void commit(String next) {
        commit = next;
    }

    URI endpoint() {
        return URI.create("http://" + address(hub));
    }

    String storageAddress() {
        return address(storage);
    }

    List<Request> requests() {
        synchronized (requests) {
            return List.copyOf(requests);
        }
    }

    void forget() {
        requests.clear();
    }

    private static String address(HttpServer server) {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    private void answer(String server, HttpExchange exchange, Fault right) throws IOException {
        String path = exchange.getRequestURI().getRawPath();
        requests.add(new Request(
                server,
                exchange.getRequestMethod(),
                path,
                exchange.getRequestHeaders().getFirst("Range"),
                exchange.getRequestHeaders().getFirst("Authorization"),
                exchange.getRequestHeaders().getFirst("Proxy-Authorization")));
        Fault fault = null;
        for (Map.Entry<String, Deque<Fault>> entry : faults.entrySet()) {
            if (path.endsWith(entry.getKey()) && (server.equals("storage") || !isLarge(path))) {
                fault = entry.getValue().poll();
            }
        }
        try (exchange) {
            (fault == null ? right : fault).answer(exchange, content(path));
        }
    }

    private boolean isLarge(String path) {
        return path.contains("/resolve/") && large.keySet().stream().anyMatch(file -> path.endsWith("/" + file));
    }

    /** Of the file at a path; nothing for a listing. */
    private byte[] content(String path) {
        for (Map<String, byte[]> files : List.of(small, large)) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                if (path.endsWith("/" + RepositoryPath.encoded(file.getKey()))) {
                    return file.getValue();
                }
            }
        }
        return new byte[0];
    }

    private void list(HttpExchange exchange, byte[] nothing) throws IOException {
        String path = exchange.getRequestURI().getRawPath();
        if (!path.startsWith("/api/models/org/tiny/revision/")) {
            refuse(404, "X-Error-Code", "RepoNotFound").answer(exchange, nothing);
        } else {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            send(exchange, 200, listingJson().getBytes(StandardCharsets.UTF_8));
        }
    }

    String listingJson() {
        String replaced = listing;
        if (replaced != null) {
            return replaced;
        }
        List<String> files = new ArrayList<>();
        small.forEach((path, content) -> files.add("{\"rfilename\":\"" + path + "\",\"size\":" + content.length
                + ",\"blobId\":\"" + gitHash(content) + "\"}"));
        large.forEach((path, content) ->
                files.add("{\"rfilename\":\"" + path + "\",\"size\":" + content.length + ",\"blobId\":\"" + COMMIT
                        + "\",\"lfs\":{\"sha256\":\"" + sha256(content) + "\",\"size\":" + content.length
                        + ",\"pointerSize\":134}}"));
        return "{\"id\":\"org/tiny\",\"sha\":\"" + commit + "\",\"gated\":false,\"siblings\":["
                + files.stream().collect(Collectors.joining(",")) + "]}";
    }

    private void resolve(HttpExchange exchange, byte[] content) throws IOException {
        String path = exchange.getRequestURI().getRawPath();
        exchange.getResponseHeaders().set("X-Repo-Commit", commit);
        if (isLarge(path)) {
            exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + sha256(content) + "\"");
            exchange.getResponseHeaders().set("X-Linked-Size", String.valueOf(content.length));
            redirect("http://" + storageAddress() + "/signed" + path).answer(exchange, content);
        } else {
            exchange.getResponseHeaders().set("ETag", "\"" + gitHash(content) + "\"");
            range(exchange, content);
        }
    }

    private void store(HttpExchange exchange, byte[] content) throws IOException {
        exchange.getResponseHeaders().set("ETag", "\"another-servers-own\"");
        range(exchange, content);
    }

    /** Answers as servers do that know ranges. */
    static void range(HttpExchange exchange, byte[] content) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
        if (from > 0 && from < content.length) {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
        }
        send(
                exchange,
                from == 0 ? 200 : from < content.length ? 206 : 416,
                Arrays.copyOfRange(content, Math.min(from, content.length), content.length));
    }

    static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(body.length));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    /** A status and headers, name by name. */
    static Fault refuse(int status, String... headers) {
        return (exchange, content) -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
        };
    }

    static Fault redirect(String location) {
        return refuse(302, "Location", location);
    }

    /** The connection ends after so many bytes of the file, whatever the range. */
    static Fault cutAfter(int bytes) {
        return (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, bytes);
            exchange.getResponseBody().flush();
        };
    }

    /** The whole of something else, of the same length. */
    static Fault corrupted() {
        return (exchange, content) -> {
            byte[] other = content.clone();
            other[other.length / 2] ^= 1;
            send(exchange, 200, other);
        };
    }

    static String gitHash(byte[] content) {
        byte[] header = ("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8);
        byte[] all = Arrays.copyOf(header, header.length + content.length);
        System.arraycopy(content, 0, all, header.length, content.length);
        return hex("SHA-1", all);
    }

    static String sha256(byte[] content) {
        return hex("SHA-256", content);
    }

    private static String hex(String algorithm, byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        storage.stop(0);
        threads.shutdownNow();
    }
}
