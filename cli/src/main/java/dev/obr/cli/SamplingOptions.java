package dev.obr.cli;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.GenerationOptions;
import dev.obr.runtime.grammar.Grammar;
import dev.obr.runtime.grammar.JsonSchema;
import dev.obr.runtime.sampling.SamplerOptions;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How much is generated, how each token is chosen, and what the text must be. */
final class SamplingOptions {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            defaultValue = "-1",
            description = "Most new tokens; -1 goes on until the model ends or the context is full.")
    private int maxTokens;

    @Option(
            names = {"--temperature", "--temp"},
            paramLabel = "X",
            defaultValue = "0.8",
            description = "Higher is more varied; 0 always takes the likeliest token. Default: ${DEFAULT-VALUE}.")
    private float temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "40",
            description = "Choose among the K likeliest tokens; 0 is off. Default: ${DEFAULT-VALUE}.")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "0.95",
            description =
                    "Choose among the likeliest tokens that make up this probability; 1 is off. Default: ${DEFAULT-VALUE}.")
    private float topP;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            defaultValue = "0.05",
            description =
                    "Drop tokens less likely than this share of the likeliest; 0 is off. Default: ${DEFAULT-VALUE}.")
    private float minP;

    @Option(
            names = "--repeat-penalty",
            paramLabel = "X",
            defaultValue = "1",
            description = "Above 1, tokens that occurred become less likely. Default: ${DEFAULT-VALUE} (off).")
    private float repeatPenalty;

    @Option(
            names = "--repeat-last-n",
            paramLabel = "N",
            defaultValue = "64",
            description = "How many tokens back the penalty looks; -1 is all. Default: ${DEFAULT-VALUE}.")
    private int repeatLastN;

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            defaultValue = "0",
            description = "Above 0, tokens of the new text become less likely. Default: ${DEFAULT-VALUE} (off).")
    private float presencePenalty;

    @Option(
            names = "--frequency-penalty",
            paramLabel = "X",
            defaultValue = "0",
            description =
                    "Above 0, tokens become less likely each time they come in the new text. Default: ${DEFAULT-VALUE} (off).")
    private float frequencyPenalty;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "-1",
            description = "Equal seeds give equal texts; -1 takes another one each time. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End before this text; may be given several times.")
    private List<String> stop = new ArrayList<>();

    @Option(
            names = "--json-schema",
            paramLabel = "FILE",
            description = "Generate JSON that is valid by the JSON schema in this file.")
    private @Nullable Path jsonSchema;

    @Option(names = "--json-object", description = "Generate a JSON object, of whatever content.")
    private boolean jsonObject;

    /** @throws ParameterException if a value is out of its range */
    GenerationOptions options() {
        if (jsonSchema != null && jsonObject) {
            throw new ParameterException(spec.commandLine(), "Give --json-schema or --json-object, not both");
        }
        return unconstrained().withGrammar(grammar());
    }

    private GenerationOptions unconstrained() {
        try {
            SamplerOptions sampling = new SamplerOptions(
                    temperature,
                    topK,
                    topP,
                    minP,
                    repeatPenalty,
                    repeatLastN,
                    presencePenalty,
                    frequencyPenalty,
                    seed());
            return new GenerationOptions(maxTokens, sampling, stop, false, null);
        } catch (ObrException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private @Nullable Grammar grammar() {
        if (jsonSchema == null) {
            return jsonObject ? JsonSchema.anyObject() : null;
        }
        String schema = TextFile.read(jsonSchema);
        try {
            return JsonSchema.grammar(schema);
        } catch (ObrException e) {
            throw new ObrException(jsonSchema + ": " + e.getMessage(), e);
        }
    }

    private long seed() {
        return seed >= 0 ? seed : new SecureRandom().nextInt(Integer.MAX_VALUE);
    }
}
