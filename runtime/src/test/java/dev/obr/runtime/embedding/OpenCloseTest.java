package dev.obr.runtime.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.BatchScheduler;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.LanguageModel;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Models are opened and closed again and again; {@code -Dobr.cycles=1000} does it as often. */
@EnabledOnOs(OS.LINUX)
class OpenCloseTest {
    private static final int WARM_UP = 30;
    private static final int CYCLES = Integer.getInteger("obr.cycles", 100);

    /** A model that is not let go keeps a megabyte of its file, its caches, a dozen mappings and a thread: a hundred of them are far more than the JVM's own compilers take meanwhile. */
    @Test
    void nothingStaysBehind() throws Exception {
        // A heap that is there from the start, so that what grows is native memory.
        List<String> options = List.of(
                "-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:ReservedCodeCacheSize=64m", "-XX:+UseSerialGC");
        List<String> lines = Jvm.run(Cycles.class, options, Map.of(), Integer.toString(CYCLES));
        ProcessState before = ProcessState.parse(lines.get(0));
        ProcessState after = ProcessState.parse(lines.get(1));
        String both = "before " + before + ", after " + CYCLES + " cycles " + after;
        assertThat(after.descriptors()).as(both).isLessThanOrEqualTo(before.descriptors());
        assertThat(after.threads()).as(both).isLessThanOrEqualTo(before.threads() + 2); // the JVM's own compilers
        assertThat(after.mappings()).as(both).isLessThan(before.mappings() + 100);
        assertThat(after.residentKib()).as(both).isLessThan(before.residentKib() + 64_000);
    }

    /** What that JVM runs. */
    static final class Cycles {
        public static void main(String[] args) {
            repeat(WARM_UP);
            System.out.println(settled().line());
            repeat(Integer.parseInt(args[0]));
            System.out.println(settled().line());
        }

        private static void repeat(int times) {
            for (int i = 0; i < times; i++) {
                try (LanguageModel model = Stories.open()) {
                    if (!Stories.tell(model).equals(Stories.TEXT)) {
                        throw new IllegalStateException("another story in cycle " + i);
                    }
                    int[] prompt = model.tokenizer().encode(Stories.PROMPT, true);
                    try (BatchScheduler scheduler = new BatchScheduler(model, BatchOptions.defaults())) {
                        scheduler
                                .submit(BatchRequest.of(
                                        prompt, GenerationOptions.greedy().withMaxTokens(2)))
                                .result();
                    }
                    model.newSession(); // which its model closes
                }
            }
        }

        private static ProcessState settled() {
            System.gc();
            return ProcessState.now();
        }
    }
}
