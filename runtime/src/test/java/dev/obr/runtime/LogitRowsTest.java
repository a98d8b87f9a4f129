package dev.obr.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.runtime.transformer.ForwardPass;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.LogitRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The logits of many positions are those that the same tokens give one prompt at a time. */
class LogitRowsTest {
    private static void check(Path path, int tokens, int first, float precision, int... positions) {
        RuntimeOptions options = RuntimeOptions.defaults().withKv(KvType.F32);
        try (LanguageModel model = LanguageModel.open(path, options);
                Session session = model.newSession()) {
            int[] ids = new Random(1)
                    .ints(tokens, 3, model.config().vocabularySize())
                    .toArray();
            List<float[]> rows = new ArrayList<>();
            session.append(ids, first, (index, logits) -> {
                assertThat(index).isEqualTo(first + rows.size());
                assertThat(logits.length).isBetween(1, LogitRows.BLOCK);
                rows.addAll(List.of(logits));
            });
            assertThat(session.length()).isEqualTo(tokens);
            assertThat(rows).hasSize(tokens - first);
            for (int position : positions) {
                session.truncate(position);
                assertThat(rows.get(position - first))
                        .usingComparatorWithPrecision(precision)
                        .containsExactly(session.append(ids[position]));
            }
        }
    }

    @Test
    void blocksFollowEachOther() {
        check(TestModels.resource("stories260K"), 150, 5, 1e-3f, 149, 133, 132, 70, 69, 68, 5);
    }

    @Test
    void onlyTheCacheMattersBehindTheLastToken() {
        check(TestModels.resource("stories260K"), 20, 20, 0);
    }

    @Test
    void chunksFollowEachOther() {
        Path model = TestModels.shared("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
        int chunk = ForwardPass.MAX_CHUNK;
        check(model, chunk + 3, chunk - 2, 1e-2f, chunk + 2, chunk, chunk - 1, chunk - 2);
    }
}
