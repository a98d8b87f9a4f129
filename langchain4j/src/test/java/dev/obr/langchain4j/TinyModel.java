package dev.obr.langchain4j;

import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.models.chat.ChatFormat;
import dev.obr.models.chat.ChatMessage;
import dev.obr.models.demo.DemoModel;
import dev.obr.runtime.BatchOptions;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import java.lang.foreign.Arena;
import java.util.List;

/** The built-in model, which is told a chat format of the plainest kind. */
final class TinyModel implements AutoCloseable {
    private record PlainTurns() implements ChatFormat {
        @Override
        public String name() {
            return "plain";
        }

        @Override
        public String prompt(List<ChatMessage> messages) {
            StringBuilder prompt = new StringBuilder();
            messages.forEach(turn -> prompt.append(turn.content()).append('\n'));
            return prompt.toString();
        }

        @Override
        public List<String> endOfTurn() {
            return List.of();
        }
    }

    final ObrModel model;
    private final LanguageModel running;

    TinyModel(BatchOptions options) {
        Model demo = DemoModel.open();
        Model chatty = new Model(
                "tiny", roomy(demo.config()), demo.weights(), demo.tokenizer(), new PlainTurns(), Arena.ofShared());
        running = LanguageModel.open(chatty, RuntimeOptions.defaults().withThreads(1));
        model = ObrModel.of(running, options);
    }

    /** A description of tools takes most of the 256 tokens that the model was made for. */
    private static ModelConfig roomy(ModelConfig config) {
        return new ModelConfig(
                config.architecture(),
                config.hiddenSize(),
                config.intermediateSize(),
                config.layers(),
                config.heads(),
                config.kvHeads(),
                config.headDim(),
                config.vocabularySize(),
                1024,
                config.rmsNormEpsilon(),
                config.ropeTheta(),
                config.ropeScaling(),
                config.tiedEmbeddings(),
                config.bosTokenId(),
                config.eosTokenIds());
    }

    @Override
    public void close() {
        model.close();
        running.close();
    }
}
