package dev.obr.server;

import java.io.IOException;

/** An answer as server-sent events: {@code data: JSON}, each at once, the last {@code data: [DONE]}. */
final class EventStream {
    private final Exchange exchange;

    EventStream(Exchange exchange) {
        this.exchange = exchange;
    }

    void send(Object event) throws IOException {
        exchange.event("data: " + Json.text(event) + "\n\n");
    }

    /** A comment, which clients skip: the write fails if the client has left. */
    void ping() throws IOException {
        exchange.event(": waiting\n\n");
    }

    void done() throws IOException {
        exchange.event("data: [DONE]\n\n");
    }
}
