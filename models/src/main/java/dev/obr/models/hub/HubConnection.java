package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Asks the hub about one model. Redirects are followed by hand: only the hub itself hears the token, and nothing encrypted goes on in the clear. */
final class HubConnection implements AutoCloseable {
    private static final int MOST_REDIRECTS = 8;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<Integer> TRANSIENT = Set.of(408, 425, 429, 500, 502, 503, 504);
    private static final Pattern RATE_LIMIT_RESET = Pattern.compile("\\bt\\s*=\\s*(\\d{1,6})\\b");

    private final ModelReference reference;
    private final HubOptions options;
    private final HttpClient client;

    /**
     * An answer's head, and its body to be read.
     *
     * @param etag the hash of the file as the hub itself names it, whatever server the body comes from
     * @param size of the file as the hub names it, or -1
     */
    record Answer(
            int status,
            HttpHeaders headers,
            InputStream body,
            @Nullable ContentHash etag,
            long size) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            body.close();
        }
    }

    HubConnection(ModelReference reference, HubOptions options) {
        this.reference = reference;
        this.options = options;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1) // a connection a file: one slow stream holds up no other
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(options.patience().silence())
                .proxy(options.proxies().selector())
                .build();
    }

    URI listing() {
        return URI.create(options.endpoint() + "/api/models/" + reference.id() + "/revision/"
                + RepositoryPath.encodedPart(reference.revision()) + "?blobs=true");
    }

    URI file(String commit, String path) {
        return URI.create(
                options.endpoint() + "/" + reference.id() + "/resolve/" + commit + "/" + RepositoryPath.encoded(path));
    }

    /**
     * Fetches from where it is kept.
     *
     * @param file for messages, null for the model itself
     * @param range from this byte on; 0 is all
     */
    Answer get(URI address, @Nullable String file, long range) throws IOException {
        return send("GET", address, file, range);
    }

    /** What the hub itself says of a file. */
    Answer head(URI address, String file) throws IOException {
        return send("HEAD", address, file, 0);
    }

    private Answer send(String method, URI start, @Nullable String file, long range) throws IOException {
        URI address = start;
        ContentHash etag = null;
        long size = -1;
        for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
            HttpResponse<InputStream> response = exchange(method, address, range);
            int status = response.statusCode();
            HttpHeaders headers = response.headers();
            boolean redirected = REDIRECTS.contains(status);
            boolean ofHub = isHub(address);
            if (ofHub && etag == null) {
                etag = etag(headers, redirected);
                size = size(headers, redirected);
            }
            if (redirected) {
                response.body().close();
                URI next = next(address, headers);
                if (method.equals("HEAD") && !isHub(next)) {
                    return new Answer(200, headers, response.body(), etag, size);
                }
                address = next;
            } else if (TRANSIENT.contains(status)) {
                response.body().close();
                throw new TransientFailure(address.getHost() + " answered " + status, pause(headers));
            } else if (status >= 200 && status < 300 || status == 416 && range > 0) {
                return new Answer(status, headers, response.body(), etag, size);
            } else if (!ofHub && (status == 403 || status == 404)) {
                response.body().close(); // signed addresses end; the hub signs another
                throw new TransientFailure(address.getHost() + " answered " + status, null);
            } else {
                response.body().close();
                throw HubRefusal.of(reference, options, file, address, status, headers);
            }
        }
        throw new ObrException(start + " leads from one address to the next, " + MOST_REDIRECTS
                + " times; check HF_ENDPOINT and HTTPS_PROXY");
    }

    private HttpResponse<InputStream> exchange(String method, URI address, long range) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .timeout(options.patience().silence())
                .header("User-Agent", "obr-runtime")
                .header("Accept-Encoding", "identity"); // sizes and hashes are those of the file as it is
        if (range > 0) {
            request.header("Range", "bytes=" + range + "-");
        }
        AccessToken token = options.token();
        if (token != null && isHub(address)) {
            request.header("Authorization", "Bearer " + token.value());
        }
        String proxy = options.proxies().authorization(address);
        if (proxy != null) {
            request.header("Proxy-Authorization", proxy); // Java's client keeps it from servers
        }
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Whether an address is of the endpoint's own scheme, host and port. */
    private boolean isHub(URI address) {
        URI hub = options.endpoint();
        return hub.getScheme().equalsIgnoreCase(address.getScheme())
                && hub.getHost().equalsIgnoreCase(address.getHost())
                && port(hub) == port(address);
    }

    private static int port(URI address) {
        return address.getPort() >= 0 ? address.getPort() : "https".equalsIgnoreCase(address.getScheme()) ? 443 : 80;
    }

    private static URI next(URI address, HttpHeaders headers) {
        String location = headers.firstValue("Location").orElse("");
        URI next;
        try {
            next = address.resolve(location);
        } catch (IllegalArgumentException e) {
            throw new ObrException(address.getHost() + " leads to '" + location + "', which is no address", e);
        }
        boolean web = "https".equalsIgnoreCase(next.getScheme())
                || "http".equalsIgnoreCase(next.getScheme()) && "http".equalsIgnoreCase(address.getScheme());
        if (location.isEmpty() || !web || next.getHost() == null) {
            throw new ObrException(address.getHost() + " leads to '" + location
                    + "', which is no encrypted address; check HF_ENDPOINT and HTTPS_PROXY");
        }
        return next;
    }

    /** Of a redirect only what it says of where it leads; of an answer also its own. */
    private static @Nullable ContentHash etag(HttpHeaders headers, boolean redirected) {
        ContentHash linked =
                ContentHash.ofEtag(headers.firstValue("X-Linked-Etag").orElse(null));
        return linked != null || redirected
                ? linked
                : ContentHash.ofEtag(headers.firstValue("ETag").orElse(null));
    }

    private static long size(HttpHeaders headers, boolean redirected) {
        String linked = headers.firstValue("X-Linked-Size").orElse("");
        String size = linked.isEmpty() && !redirected
                ? headers.firstValue("Content-Length").orElse("")
                : linked;
        return size.matches("\\d{1,18}") ? Long.parseLong(size) : -1;
    }

    /** {@code Retry-After}, in seconds or as a date; or when the hub's {@code RateLimit} begins anew. */
    private static @Nullable Duration pause(HttpHeaders headers) {
        String after = headers.firstValue("Retry-After").orElse("").strip();
        if (after.matches("\\d{1,9}")) {
            return Duration.ofSeconds(Long.parseLong(after));
        }
        try {
            Instant until = ZonedDateTime.parse(after, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            Duration wait = Duration.between(Instant.now(), until);
            return wait.isNegative() ? Duration.ZERO : wait;
        } catch (DateTimeException e) {
            Matcher reset =
                    RATE_LIMIT_RESET.matcher(headers.firstValue("RateLimit").orElse(""));
            return reset.find() ? Duration.ofSeconds(Long.parseLong(reset.group(1))) : null;
        }
    }

    /** Ends what is under way, too. */
    @Override
    public void close() {
        client.shutdownNow();
    }
}
