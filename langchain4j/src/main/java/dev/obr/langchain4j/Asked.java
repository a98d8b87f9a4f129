package dev.obr.langchain4j;

import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.obr.models.tokenizer.Tokenizer;
import dev.obr.runtime.BatchRequest;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.chat.AnswerReader;
import dev.obr.runtime.chat.Conversation;
import dev.obr.runtime.chat.ToolSet;
import dev.obr.runtime.grammar.Grammar;
import dev.obr.runtime.grammar.JsonSchema;
import dev.obr.runtime.sampling.SamplerOptions;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What a request asks of a model.
 *
 * @param reader of the answer
 */
record Asked(BatchRequest request, AnswerReader reader) {
    /**
     * Reads a request whose parameters are complete.
     *
     * @throws dev.obr.kernels.ObrException if a value is out of its range, or a schema is not supported
     * @throws dev.langchain4j.exception.LangChain4jException if the request asks for what cannot be had
     */
    static Asked of(ObrModel model, ChatRequest request) {
        ChatRequestParameters parameters = request.parameters();
        if (parameters.modelName() != null && !parameters.modelName().equals(model.name())) {
            throw new ModelNotFoundException("The request is for the model " + parameters.modelName() + ", but "
                    + model.name() + " is loaded: leave modelName out.");
        }
        RequestTools tools = RequestTools.of(parameters);
        GenerationOptions options = GenerationOptions.defaults()
                .withMaxTokens(parameters.maxOutputTokens() == null ? -1 : parameters.maxOutputTokens())
                .withSampling(sampling(parameters))
                .withStop(parameters.stopSequences())
                .withGrammar(grammar(tools, Schemas.content(parameters.responseFormat())));
        Conversation conversation = Messages.conversation(request.messages());
        String prompt = model.format().prompt(tools.any() ? conversation.turns(tools.set()) : conversation.turns());
        Tokenizer tokenizer = model.languageModel().tokenizer();
        int[] tokens = tokenizer.encode(tools.forced() ? prompt + ToolSet.OPENING + "\n" : prompt, false);
        AnswerReader reader = new AnswerReader(tools.names(), tools.forced(), tokenizer.dropsLeadingSpace());
        return new Asked(BatchRequest.of(tokens, options), reader);
    }

    private static @Nullable Grammar grammar(RequestTools tools, @Nullable JsonNode content) {
        if (tools.forced()) {
            return tools.set().callGrammar(tools.names());
        }
        if (tools.any()) {
            return tools.set().answerGrammar(content);
        }
        return content == null ? null : JsonSchema.grammar(content);
    }

    private static SamplerOptions sampling(ChatRequestParameters parameters) {
        SamplerOptions sampling = SamplerOptions.defaults().withSeed(new SecureRandom().nextInt(Integer.MAX_VALUE));
        if (parameters.temperature() != null) {
            sampling = sampling.withTemperature(parameters.temperature().floatValue());
        }
        if (parameters.topP() != null) {
            sampling = sampling.withTopP(parameters.topP().floatValue());
        }
        if (parameters.topK() != null) {
            sampling = sampling.withTopK(parameters.topK());
        }
        if (parameters.presencePenalty() != null) {
            sampling = sampling.withPresencePenalty(parameters.presencePenalty().floatValue());
        }
        if (parameters.frequencyPenalty() != null) {
            sampling =
                    sampling.withFrequencyPenalty(parameters.frequencyPenalty().floatValue());
        }
        return parameters instanceof ObrChatRequestParameters own ? sampling(sampling, own) : sampling;
    }

    private static SamplerOptions sampling(SamplerOptions common, ObrChatRequestParameters own) {
        Long seed = own.seed();
        Double minP = own.minP();
        Double repeatPenalty = own.repeatPenalty();
        SamplerOptions sampling = seed == null ? common : common.withSeed(seed);
        sampling = minP == null ? sampling : sampling.withMinP(minP.floatValue());
        return repeatPenalty == null ? sampling : sampling.withRepeatPenalty(repeatPenalty.floatValue());
    }
}
