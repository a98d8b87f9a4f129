import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.BatchScheduler;
import dev.obr.runtime.BatchedGeneration;
import dev.obr.runtime.GeneratedToken;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Executors;

/**
 * A web application that writes on what it is sent, for many at once: {@code java --enable-native-access=ALL-UNNAMED -cp obr-runtime.jar WebHandler.java MODEL 8080}, then
 * {@code curl -N localhost:8080/continue -d "Once upon a time"}. Who goes away has cancelled his text. It ends with its input, or by Ctrl-C.
 */
public class WebHandler {
    private static final GenerationOptions OPTIONS = GenerationOptions.greedy().withMaxTokens(64);

    public static void main(String[] args) throws IOException {
        try (LanguageModel model = LanguageModel.open(Path.of(args[0]), RuntimeOptions.defaults());
                BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults());
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]));
            HttpServer server = HttpServer.create(address, 0);
            server.createContext("/continue", exchange -> write(exchange, model, scheduler));
            server.setExecutor(threads);
            server.start();
            System.out.println("http://localhost:" + server.getAddress().getPort() + "/continue");
            System.in.transferTo(OutputStream.nullOutputStream());
            server.stop(0);
        }
    }

    private static void write(HttpExchange exchange, LanguageModel model, BatchScheduler scheduler) throws IOException {
        String prompt = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        BatchedGeneration text = scheduler.submit(BatchRequest.of(model.tokenizer().encode(prompt, true), OPTIONS));
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            while (text.hasNext()) {
                GeneratedToken token = text.next();
                out.write(token.text().getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } finally {
            text.cancel();
        }
    }
}
