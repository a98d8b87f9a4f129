package dev.obr.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.obr.kernels.ObrException;
import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.BatchScheduler;
import dev.obr.runtime.BatchStatus;
import dev.obr.runtime.LanguageModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A model behind HTTP.
 *
 * <pre>{@code
 * try (ApiServer server = ApiServer.start(ServerOptions.defaults(), System.err::println)) {
 *     server.serve(model, BatchOptions.defaults()); // until then clients hear that it is loading
 *     ...
 *     server.drain(Duration.ofSeconds(30));
 * }
 * }</pre>
 *
 * <p>Each request has a virtual thread of its own, so a slow client costs nobody else anything. To be closed before the model.
 */
public final class ApiServer implements AutoCloseable {
    private static final int CLIENT_LEFT = 499; // as nginx counts those who leave before an answer

    private final ServerOptions options;
    private final Consumer<String> log;
    private final HttpServer http;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Metrics metrics = new Metrics();
    private final Router router;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private int open; // requests that are being answered

    private ApiServer(ServerOptions options, Consumer<String> log, HttpServer http) {
        this.options = options;
        this.router = new Router(new ApiKeys(options.keys()), metrics);
        this.log = log;
        this.http = http;
    }

    /**
     * Listens; requests hear that the model is loading until {@link #serve}.
     *
     * @param log takes lines about failures; never a key or a prompt
     * @throws ObrException if the address cannot be had
     */
    public static ApiServer start(ServerOptions options, Consumer<String> log) {
        // Tokens go out as they come, and a request must arrive within two minutes: the JDK's server knows no other way
        // to say it.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        System.setProperty("sun.net.httpserver.maxReqTime", "120");
        InetSocketAddress address = new InetSocketAddress(options.host(), options.port());
        if (address.isUnresolved()) {
            throw new ObrException("The host '" + options.host()
                    + "' is not known: give an address of this machine, such as 127.0.0.1 or 0.0.0.0.");
        }
        try {
            HttpServer http = HttpServer.create(address, 1024);
            ApiServer server = new ApiServer(options, log, http);
            http.setExecutor(server.threads);
            http.createContext("/", server::handle);
            http.start();
            return server;
        } catch (BindException e) {
            throw new ObrException(
                    "Port " + options.port() + " of " + options.host() + " cannot be had (" + e.getMessage()
                            + "): end the program that listens there, or choose another with --port (0 takes a free one).",
                    e);
        } catch (IOException e) {
            throw new ObrException(
                    "The server cannot listen at " + options.host() + ":" + options.port() + " (" + e.getMessage()
                            + ").",
                    e);
        }
    }

    public int port() {
        return http.getAddress().getPort();
    }

    /** Answers with {@code model} from now on. */
    public void serve(LanguageModel model, BatchOptions batch) {
        String alias = options.alias();
        router.serve(new Service(
                model,
                new BatchScheduler(model, batch),
                alias == null ? model.name() : alias,
                System.currentTimeMillis() / 1000,
                options.timeout()));
    }

    /** What is going on; null while the model loads. */
    public @Nullable BatchStatus status() {
        Service ready = router.service();
        return ready == null ? null : ready.scheduler().status();
    }

    /** Refuses requests from now on and waits so long for those that are being answered; false if some are left. */
    public boolean drain(Duration patience) throws InterruptedException {
        router.refuse();
        long left = patience.toNanos();
        lock.lock();
        try {
            while (open > 0 && left > 0) {
                left = changed.awaitNanos(left);
            }
            return open == 0;
        } finally {
            lock.unlock();
        }
    }

    /** Ends what is left, and listening. */
    @Override
    public void close() {
        router.refuse();
        Service ready = router.service();
        if (ready != null) {
            ready.scheduler().close();
        }
        try {
            drain(Duration.ofSeconds(1)); // for clients to hear of it
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        http.stop(0);
        threads.shutdownNow();
        try {
            threads.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void count(int change) {
        lock.lock();
        try {
            open += change;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void handle(HttpExchange request) {
        Exchange exchange = new Exchange(request, options.bodyLimit());
        count(1);
        try {
            answer(exchange);
        } catch (IOException left) {
            // The client has gone: there is nobody to tell.
        } catch (RuntimeException | Error defect) {
            fail(exchange, ApiException.internal());
            StringWriter trace = new StringWriter();
            defect.printStackTrace(new PrintWriter(trace));
            log.accept("error: " + exchange.method() + " " + exchange.path() + " failed: " + trace);
        } finally {
            metrics.answered(exchange.status() == 0 ? CLIENT_LEFT : exchange.status());
            exchange.close();
            count(-1);
        }
    }

    private void answer(Exchange exchange) throws IOException {
        try {
            router.route(exchange);
        } catch (ApiException e) {
            fail(exchange, e);
        } catch (ObrException e) { // a grammar that the vocabulary cannot spell
            fail(exchange, ApiException.wrong(null, String.valueOf(e.getMessage())));
        }
    }

    /** Tells the client of an error, in the way its answer has begun if it has. */
    private static void fail(Exchange exchange, ApiException error) {
        try {
            if (exchange.streams()) {
                EventStream events = new EventStream(exchange);
                events.send(error.body());
                events.done();
                return;
            }
            switch (error.status()) {
                case 401 -> exchange.header("WWW-Authenticate", "Bearer");
                case 429 -> exchange.header("Retry-After", "1");
                case 503 -> exchange.header("Retry-After", "5");
                default -> {}
            }
            exchange.reply(error.status(), error.body());
        } catch (IOException left) {
            // The client has gone: there is nobody to tell.
        }
    }
}
