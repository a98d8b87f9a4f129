package dev.obr.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class WaitingLineTest {
    private final WaitingLine line = new WaitingLine();

    @Test
    void clientsTakeTurns() {
        try (LanguageModel model = LanguageModel.open(TestModels.resource("stories260K"), RuntimeOptions.defaults())) {
            for (String request : List.of("a1", "a2", "a3", "b1", "c1", "c2")) {
                line.add(sequence(model, request));
            }
            line.addPreempted(sequence(model, "d2"));
            line.addPreempted(sequence(model, "d1"));
            assertThat(line.removeIf(sequence -> label(sequence).equals("c1"))).hasSize(1);
            List<String> order = new ArrayList<>();
            while (line.size() > 0) {
                order.add(label(Objects.requireNonNull(line.peek())));
                line.remove();
            }
            assertThat(order).containsExactly("d1", "d2", "a1", "b1", "c2", "a2", "a3");
            assertThat(line.peek()).isNull();
        }
    }

    /** Client and number, such as {@code a1}; the number is that of the prompt's tokens. */
    private static BatchSequence sequence(LanguageModel model, String label) {
        int[] prompt = new int[label.charAt(1) - '0'];
        BatchRequest request = new BatchRequest(prompt, GenerationOptions.greedy(), label.substring(0, 1), -1, false);
        Continuation text = new Continuation(
                model,
                prompt,
                request.options(),
                dev.obr.models.tokenizer.TextStream.continuing(model.tokenizer()),
                100);
        return new BatchSequence(request, text, new BatchedGeneration(() -> {}));
    }

    private static String label(BatchSequence sequence) {
        return sequence.request.client() + sequence.request.prompt().length;
    }
}
