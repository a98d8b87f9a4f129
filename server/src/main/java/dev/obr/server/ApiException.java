package dev.obr.server;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request that gets an error for an answer, in OpenAI's shape. */
final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String type;
    private final @Nullable String parameter;
    private final @Nullable String code;

    private ApiException(int status, String type, String sentence, @Nullable String parameter, @Nullable String code) {
        super(sentence);
        this.status = status;
        this.type = type;
        this.parameter = parameter;
        this.code = code;
    }

    /** The client's fault, in one parameter or in the request as a whole. */
    static ApiException wrong(@Nullable String parameter, String sentence) {
        return new ApiException(400, "invalid_request_error", sentence, parameter, null);
    }

    static ApiException wrong(@Nullable String parameter, String sentence, String code) {
        return new ApiException(400, "invalid_request_error", sentence, parameter, code);
    }

    /** The client's fault, with a status of its own. */
    static ApiException refused(int status, String sentence, @Nullable String code) {
        return new ApiException(status, "invalid_request_error", sentence, null, code);
    }

    /** Not now: the client may ask again. */
    static ApiException unavailable(int status, String type, String sentence) {
        return new ApiException(status, type, sentence, null, type);
    }

    /** The server's fault. */
    static ApiException internal() {
        return new ApiException(
                500, "server_error", "The server failed to answer; its log says why.", null, "internal_error");
    }

    int status() {
        return status;
    }

    /** {@code {"error":{...}}}. */
    Map<String, @Nullable Object> body() {
        return Json.object(
                "error", Json.object("message", getMessage(), "type", type, "param", parameter, "code", code));
    }
}
