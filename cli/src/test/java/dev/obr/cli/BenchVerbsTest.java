package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.bench.results.Figure;
import dev.obr.bench.results.Figure.Kind;
import dev.obr.bench.results.ResultFile;
import dev.obr.bench.results.ResultRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Benchmarks that write result files, with sizes that take a moment. */
class BenchVerbsTest {
    private static final String[] VLLM = {
        "request_throughput",
        "output_throughput",
        "total_token_throughput",
        "mean_ttft_ms",
        "median_ttft_ms",
        "std_ttft_ms",
        "p99_ttft_ms",
        "mean_tpot_ms",
        "median_tpot_ms",
        "std_tpot_ms",
        "p99_tpot_ms",
        "mean_itl_ms",
        "median_itl_ms",
        "std_itl_ms",
        "p99_itl_ms",
        "mean_e2el_ms",
        "median_e2el_ms",
        "std_e2el_ms",
        "p99_e2el_ms"
    };

    @TempDir
    private Path folder;

    private Ran e2e(String... models) {
        String[] rest = {"-p", "5", "-n", "3", "-d", "0,4", "-c", "1,2", "--requests", "2", "-r", "2", "--warm-up", "0"
        };
        List<String> arguments = new java.util.ArrayList<>(List.of("bench", "e2e", "--output", file("e2e.json")));
        arguments.addAll(List.of(models));
        arguments.addAll(List.of(rest));
        return Ran.verb(arguments.toArray(String[]::new));
    }

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    @Test
    void e2eMeasuresTheBuiltInModel() {
        Ran ran = e2e("--device", "cpu");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        ResultFile results = ResultFile.read(folder.resolve("e2e.json"));
        assertThat(results.suite()).isEqualTo("e2e");
        assertThat(results.command()).startsWith("java -jar obr-runtime.jar bench e2e --output ");
        assertThat(results.machine().gpu()).isNull();
        assertThat(results.rows()).hasSize(4).allSatisfy(row -> {
            assertThat(row.key()).containsEntry("variant", "dense").containsEntry("prompt", "5");
            assertThat(row.figures()).containsKeys(VLLM).containsKeys("prefill_throughput", "decode_throughput");
            assertThat(row.figures().values()).allMatch(figure -> figure.median() >= 0 && !figure.ratio());
            int clients = Integer.parseInt(row.key().getOrDefault("concurrency", ""));
            assertThat(row.figures()).containsEntry("total_output_tokens", measured("tokens", 3 * 2 * clients));
            assertThat(row.figures()).containsEntry("total_input_tokens", measured("tokens", 5 * 2 * clients));
        });
        assertThat(ran.out())
                .startsWith(
                        "| variant | prompt | generated | context | concurrency | prefill_throughput tokens/s | decode_throughput tokens/s |")
                .contains("\n| dense | 5 | 3 | 4 | 2 | ");
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "only Linux holds threads on processors")
    void resultsSayWhetherThreadsWereHeld() {
        String held = "Each computing thread but the first was held on a processor of its own.";
        assertThat(e2e("--device", "cpu", "--pin").exitCode()).isZero();
        assertThat(ResultFile.read(folder.resolve("e2e.json")).notes()).contains(held);
        assertThat(e2e("--device", "cpu").exitCode()).isZero();
        assertThat(ResultFile.read(folder.resolve("e2e.json")).notes()).doesNotContain(held);
        PinOption pin = CommandLine.populateCommand(new PinOption(), "--pin");
        assertThat(pin.notes("cpu")).containsExactly(held);
        assertThat(pin.notes("cuda:0")).isEmpty();
    }

    private static Figure measured(String unit, double value) {
        return new Figure(unit, Kind.MEASURED, value, value, value, 2);
    }

    @Test
    void e2eMeasuresAShapePackedBesideDense() {
        Ran ran = e2e("--shape", "tiny", "--patterns", "4:8p,dense", "--work", file("work"));
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.err()).contains("make ").contains("tiny-f16.gguf");
        ResultFile results = ResultFile.read(folder.resolve("e2e.json"));
        assertThat(results.rows())
                .extracting(row -> row.key().get("variant"))
                .startsWith("dense", "4:8p", "packed dense")
                .hasSize(12);
        assertThat(results.rows().get(1).figures())
                .containsKeys("prefill_speedup", "decode_speedup", "ttft_speedup", "tpot_speedup", "e2el_speedup");
        assertThat(Ran.verb("bench", "gate", file("e2e.json"), file("e2e.json")).exitCode())
                .isZero();
        assertThat(e2e("--shape", "tiny", "--patterns", "4:8p", "--work", file("work"))
                        .err())
                .doesNotContain("make ");
    }

    @Test
    void e2eRefusesVariantsOfAnotherShape() {
        Ran ran = e2e("--packed", "../models/src/test/resources/packed/format-1");
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.err()).contains("format-1 is of another shape (").contains(": compare variants of one model");
    }

    @Test
    void gateFailsWhereARatioFell() {
        write("base.json", 4.0);
        write("slower.json", 3.0);
        Ran ran = Ran.verb("bench", "gate", file("base.json"), file("slower.json"));
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out())
                .contains("| variant 4:8p | decode_speedup | 4.00 (4.00-4.00) | 3.00 (3.00-3.00) | -25% | regressed |");
        assertThat(Ran.verb("bench", "gate", file("base.json"), file("slower.json"), "--threshold", "30%")
                        .exitCode())
                .isZero();
        assertThat(Ran.verb("bench", "gate", file("slower.json"), file("base.json"))
                        .exitCode())
                .isZero();
        assertThat(Ran.verb("bench", "gate", file("base.json"), file("none.json"))
                        .err())
                .startsWith("error: cannot read the results in ")
                .hasLineCount(1);
    }

    private void write(String name, double ratio) {
        ResultRow row = new ResultRow(
                Map.of("variant", "4:8p"), Map.of("decode_speedup", Figure.of("x", Kind.MEASURED, ratio)));
        new ResultFile(
                        ResultFile.FORMAT,
                        "e2e",
                        "t",
                        "c",
                        "2026-01-01T00:00:00Z",
                        1,
                        new dev.obr.bench.results.Machine("cpu", "AVX2", 2, 1L << 34, null, "Linux", "25", "0"),
                        null,
                        List.of(),
                        List.of(row))
                .write(folder.resolve(name));
    }

    /** Programs that answer as llama.cpp's would. */
    @Test
    void compareMeasuresInTurnsWithLlamaCpp() throws IOException {
        program("llama-quantize", "cp \"$1\" \"$2\"");
        program(
                "llama-bench",
                "case \"$2\" in *f16*) s=10;; *) s=20;; esac; n=${6}; p=${4%%,*}\n"
                        + "echo \"[{\\\"n_prompt\\\": $p, \\\"n_gen\\\": 0, \\\"avg_ts\\\": $s}, {\\\"n_prompt\\\": 0, \\\"n_gen\\\": $n, \\\"avg_ts\\\": $s}]\"");
        Ran ran = Ran.verb(
                "bench",
                "compare",
                "--llama-cpp",
                folder.toString(),
                "--shape",
                "tiny",
                "--patterns",
                "4:8p",
                "--work",
                file("work"),
                "-p",
                "4,8",
                "-n",
                "3",
                "--rounds",
                "2",
                "--warm-up",
                "0",
                "--peer",
                "Other=echo {\"tg\":5}",
                "--output",
                file("compare.json"));
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        ResultFile results = ResultFile.read(folder.resolve("compare.json"));
        Map<String, Integer> models = new LinkedHashMap<>();
        results.rows().forEach(row -> models.merge(row.key().getOrDefault("model", ""), 1, Integer::sum));
        assertThat(models)
                .isEqualTo(Map.of("llama.cpp Q4_0", 2, "OBR 4:8p", 3, "OBR F16", 2, "llama.cpp F16", 2, "Other", 1));
        ResultRow generation = results.rows().stream()
                .filter(row -> row.key().equals(Map.of("test", "tg", "model", "OBR 4:8p")))
                .findFirst()
                .orElseThrow();
        assertThat(generation.figures())
                .containsOnlyKeys("tokens_per_second", "/ llama.cpp Q4_0", "/ llama.cpp F16", "/ OBR F16");
        assertThat(ran.out()).contains("| test | model | tokens_per_second tokens/s | / llama.cpp Q4_0 |");
        assertThat(results.notes()).contains("llama.cpp Q4_0: llama.cpp build unknown, unknown, cache unknown.");
    }

    private void program(String name, String script) throws IOException {
        Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void compareNeedsTheProgramsThatItRuns() {
        Ran ran = Ran.verb("bench", "compare", "--llama-cpp", folder.toString(), "--shape", "tiny");
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.err()).contains("There is no llama-bench in " + folder);
    }
}
