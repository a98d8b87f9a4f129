package dev.obr.server;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** One request and its answer. Used by one thread at a time. */
final class Exchange {
    private static final int DRAIN_LIMIT = 64 << 20;

    private final HttpExchange http;
    private final int bodyLimit;
    private @Nullable OutputStream out;
    private int status;
    private boolean streams;

    Exchange(HttpExchange http, int bodyLimit) {
        this.http = http;
        this.bodyLimit = bodyLimit;
    }

    String method() {
        return http.getRequestMethod();
    }

    String path() {
        return String.valueOf(http.getRequestURI().getPath());
    }

    Headers headers() {
        return http.getRequestHeaders();
    }

    /** Who asks, as far as can be told. */
    String client() {
        return http.getRemoteAddress().getAddress().getHostAddress();
    }

    /** The status of the answer; 0 before it begins. */
    int status() {
        return status;
    }

    /** Whether the answer is events, and has begun. */
    boolean streams() {
        return streams;
    }

    /** Reads the body. One that is too large is read and forgotten, so that its sender gets to read why. */
    Fields body() throws IOException {
        InputStream in = http.getRequestBody();
        byte[] body = in.readNBytes(bodyLimit + 1);
        if (body.length > bodyLimit) {
            byte[] rest = new byte[1 << 16];
            int left = DRAIN_LIMIT;
            for (int read = in.read(rest); read >= 0 && left > 0; read = in.read(rest)) {
                left -= read;
            }
            throw ApiException.refused(
                    413, "The body has more than " + bodyLimit + " bytes: send less.", "request_too_large");
        }
        return Fields.body(body);
    }

    void header(String name, String value) {
        http.getResponseHeaders().set(name, value);
    }

    /** The whole answer as JSON, or its end where {@link #keepAlive} has begun it. */
    void reply(int code, Object value) throws IOException {
        byte[] bytes = Json.bytes(value);
        if (out == null) {
            reply(code, "application/json; charset=utf-8", bytes);
        } else {
            out.write(bytes);
            out.flush();
        }
    }

    /** The whole answer. */
    void reply(int code, String contentType, byte[] bytes) throws IOException {
        status = code;
        header("Content-Type", contentType);
        header("X-Content-Type-Options", "nosniff");
        boolean head = method().equals("HEAD");
        http.sendResponseHeaders(code, head || bytes.length == 0 ? -1 : bytes.length);
        if (!head && bytes.length > 0) {
            out = http.getResponseBody();
            out.write(bytes);
        }
    }

    /** A piece of an answer that is events, at once. */
    void event(String text) throws IOException {
        streams = true;
        write("text/event-stream; charset=utf-8", text);
    }

    /** A blank before a JSON answer that takes long: the write fails if the client has left. */
    void keepAlive() throws IOException {
        write("application/json; charset=utf-8", " ");
    }

    /** A piece of an answer that goes on, at once. */
    private void write(String contentType, String text) throws IOException {
        if (out == null) {
            status = 200;
            header("Content-Type", contentType);
            header("Cache-Control", "no-cache");
            header("X-Accel-Buffering", "no"); // proxies pass events on as they come
            http.sendResponseHeaders(200, 0); // chunked
            out = http.getResponseBody();
        }
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    void close() {
        http.close();
    }
}
