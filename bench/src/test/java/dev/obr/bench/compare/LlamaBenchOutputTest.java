package dev.obr.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.obr.bench.compare.Contender.Rates;
import dev.obr.kernels.ObrException;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaBenchOutputTest {
    /** Three rows as build 1 (0c1e570) writes them, some fields left out. */
    private static final String THREE = """
            [
              {
                "build_commit": "0c1e570",
                "build_number": 1,
                "cpu_info": "AMD EPYC",
                "type_k": "f16",
                "type_v": "f16",
                "n_prompt": 128,
                "n_gen": 0,
                "n_depth": 0,
                "test_time": "2026-11-22T20:00:00Z",
                "avg_ns": 2094823000,
                "stddev_ns": 0,
                "avg_ts": 61.103052,
                "stddev_ts": 0.000000,
                "samples_ns": [ 2094823000 ],
                "samples_ts": [ 61.1031 ]
              },
              {
                "build_commit": "0c1e570", "build_number": 1, "type_k": "f16",
                "n_prompt": 512, "n_gen": 0, "avg_ts": 58.9
              },
              {
                "build_commit": "0c1e570", "build_number": 1, "type_k": "f16",
                "n_prompt": 0, "n_gen": 128, "avg_ts": 26
              }
            ]
            """;

    @Test
    void readsSpeedsByTestAndWhatComputed() {
        Rates rates = LlamaBenchOutput.parse(THREE);
        assertThat(rates.tokensPerSecond())
                .containsExactly(entry("pp128", 61.103052), entry("pp512", 58.9), entry("tg", 26.0));
        assertThat(rates.by()).isEqualTo("llama.cpp build 1, 0c1e570, cache f16");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{}",
                "[7]",
                "[null]",
                "[{}]",
                "[{\"n_prompt\": 128, \"n_gen\": 0}]",
                "[{\"n_prompt\": 128, \"n_gen\": 0, \"avg_ts\": 0}]",
                "[{\"n_prompt\": 128, \"n_gen\": 0, \"avg_ts\": -1}]",
                "[{\"n_prompt\": 128, \"n_gen\": 0, \"avg_ts\": \"nan\"}]",
                "[{\"n_prompt\": 128, \"n_gen\": 0, \"avg_ts\": 1e999}]",
                "[{\"n_prompt\": 128, \"n_gen\": 0, \"avg_ts\": nan}]",
                "[{\"n_prompt\": 128, \"n_gen\": 32, \"avg_ts\": 1}]",
                "[{\"n_prompt\": 0, \"n_gen\": 0, \"avg_ts\": 1}]",
                "[{\"n_prompt\": -1, \"n_gen\": 0, \"avg_ts\": 1}]",
                "[{\"n_prompt\": 1.5, \"n_gen\": 0, \"avg_ts\": 1}]",
                "[{\"n_prompt\": 99999999999, \"n_gen\": 0, \"avg_ts\": 1}]",
                "[{\"n_prompt\": 0, \"avg_ts\": 1}]",
                "error: failed to load model"
            })
    void anythingElseIsRefusedInASentence(String text) {
        assertThatThrownBy(() -> LlamaBenchOutput.parse(text))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("what llama-bench wrote is not read here (")
                .hasMessageNotContaining("\n");
    }

    /** The right text cut and with bytes changed: read, or refused in a sentence, and never a speed that is none. */
    @Property(tries = 2000)
    void damagedTextIsReadOrRefused(@ForAll("damaged") String text) {
        try {
            assertThat(LlamaBenchOutput.parse(text).tokensPerSecond().values())
                    .isNotEmpty()
                    .allMatch(rate -> rate > 0 && Double.isFinite(rate));
        } catch (ObrException refused) {
            assertThat(refused).hasMessageStartingWith("what llama-bench wrote").hasMessageNotContaining("\n");
        }
    }

    @Provide
    Arbitrary<String> damaged() {
        Arbitrary<Integer> places = Arbitraries.integers().between(0, THREE.length() - 1);
        Arbitrary<String> pieces = Arbitraries.of(
                "", "\"", "{", "}", "[", "]", ",", ":", "-", ".", "e9", "null", "true", "1e400", "\u0000", "\\", "[[",
                "{}");
        return Combinators.combine(places, places, pieces)
                .as((from, to, piece) -> THREE.substring(0, Math.min(from, to))
                        + piece
                        + THREE.substring(piece.isEmpty() ? Math.max(from, to) : Math.min(from, to) + 1));
    }
}
