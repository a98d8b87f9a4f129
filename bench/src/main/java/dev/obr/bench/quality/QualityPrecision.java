package dev.obr.bench.quality;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.RuntimeOptions.Activations;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision.KvScheme;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * In how many bits a packed model computes: {@code A8KV4} is activations in 8 and the cache in 4.
 *
 * @param activations 4, 8 or 16 (floats)
 * @param kv 4, 8 or 16
 */
public record QualityPrecision(int activations, int kv) {
    /** Weights alone are coded. */
    public static final QualityPrecision FLOATS = new QualityPrecision(16, 16);

    private static final Pattern FORM = Pattern.compile("A(4|8|16)KV(4|8|16)");

    /** @throws ObrException where it is none */
    public static QualityPrecision parse(String text) {
        Matcher form = FORM.matcher(text.strip());
        if (!form.matches()) {
            throw new ObrException("'" + text + "' is no precision such as A8KV4: A and KV with 4, 8 or 16 bits each");
        }
        return new QualityPrecision(Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)));
    }

    /** As it is parsed. */
    public String label() {
        return "A" + activations + "KV" + kv;
    }

    RuntimeOptions options(int threads) {
        return RuntimeOptions.defaults()
                .withDevice("cpu")
                .withThreads(threads)
                .withKv(KvType.ofBits(kv))
                .withActivations(new Activations(activations, Activations.MODELS_OWN, false, KvScheme.HEAD));
    }
}
