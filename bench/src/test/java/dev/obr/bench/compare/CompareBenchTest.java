package dev.obr.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.bench.machine.NoiseMeter;
import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.ResultRow;
import dev.obr.kernels.ObrException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that are none: their speeds are made up. */
class CompareBenchTest {
    private final List<String> turns = new ArrayList<>();

    private Contender contender(String name, boolean ours, double... speeds) {
        Deque<Double> left = new ArrayDeque<>();
        for (double speed : speeds) {
            left.add(speed);
        }
        return new Contender() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public boolean ours() {
                return ours;
            }

            @Override
            public Rates measure() {
                turns.add(name);
                double speed = left.remove();
                if (speed == 0) {
                    throw new ObrException(name + " has failed");
                }
                return new Rates("by " + name, Map.of("tg", speed));
            }
        };
    }

    private static CompareBench.Result run(int rounds, Contender... contenders) {
        return new CompareBench(List.of(contenders), List.of("base"), rounds, NoiseMeter.start(), line -> {}).run();
    }

    @Test
    void everySecondRoundRunsBackwardsAndRatiosAreOfARound() {
        CompareBench.Result result = run(
                3,
                contender("base", false, 10, 20, 10),
                contender("ours", true, 30, 60, 40),
                contender("x", false, 1, 1, 1));
        assertThat(turns).containsExactly("base", "ours", "x", "x", "ours", "base", "base", "ours", "x");
        assertThat(result.rows())
                .containsExactly(
                        row(
                                "base",
                                Map.of("tokens_per_second", Figure.measured("tokens/s", List.of(10.0, 20.0, 10.0)))),
                        row(
                                "ours",
                                Map.of(
                                        "tokens_per_second",
                                        Figure.measured("tokens/s", List.of(30.0, 60.0, 40.0)),
                                        "/ base",
                                        new Figure("x", Kind.MEASURED, 3, 3, 3.5, 3))),
                        row("x", Map.of("tokens_per_second", Figure.measured("tokens/s", List.of(1.0, 1.0, 1.0)))));
        assertThat(result.notes()).containsExactly("base: by base.", "ours: by ours.", "x: by x.");
    }

    private static ResultRow row(String model, Map<String, Figure> figures) {
        return new ResultRow(Map.of("test", "tg", "model", model), figures);
    }

    @Test
    void anotherProgramThatFailsIsLeftOutOfItsRound() {
        CompareBench.Result result =
                run(2, contender("base", false, 1, 1), contender("ours", true, 2, 2), contender("x", false, 0, 3));
        assertThat(result.rows().get(2))
                .isEqualTo(row("x", Map.of("tokens_per_second", Figure.measured("tokens/s", List.of(3.0)))));
        assertThat(result.notes()).contains("x is left out of a round: x has failed");
    }

    @Test
    void whatRatiosNeedMustNotFail() {
        assertThatThrownBy(() -> run(1, contender("base", false, 0), contender("ours", true, 2)))
                .hasMessage("base has failed");
        assertThatThrownBy(() -> run(1, contender("base", false, 1), contender("ours", true, 0)))
                .hasMessage("ours has failed");
    }

    @Test
    void anotherProgramSaysItsSpeedsAsOneObject() {
        OtherContender echo = OtherContender.parse("Echo=echo {\"pp128\":33.5,\"tg\":14,\"by\":\"echo\"}");
        assertThat(echo.name()).isEqualTo("Echo");
        assertThat(echo.measure()).isEqualTo(new Contender.Rates("echo", Map.of("pp128", 33.5, "tg", 14.0)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"x=echo", "x=echo []", "x=echo {\"tg\":0}", "x=echo {\"tg\":\"fast\"}", "x=echo {\"tg\":1"})
    void anyOtherWordsAreRefused(String peer) {
        assertThatThrownBy(() -> OtherContender.parse(peer).measure())
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("what echo wrote is not one JSON object of speeds");
    }

    @Test
    void aProgramThatFailsIsQuoted() {
        assertThatThrownBy(
                        () -> OtherContender.parse("x=ls no-such-file-at-all").measure())
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("fails with status")
                .hasMessageContaining("no-such-file-at-all");
        assertThatThrownBy(() -> OtherContender.parse("x=no-such-program").measure())
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("no-such-program does not start");
    }
}
