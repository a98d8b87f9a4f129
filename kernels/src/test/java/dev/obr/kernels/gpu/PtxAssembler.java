package dev.obr.kernels.gpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;

/** NVIDIA's own PTX assembler, of CUDA 12.0, which jcuda carries: it needs neither a driver nor a GPU. */
final class PtxAssembler {
    private static final Pattern ENTRY = Pattern.compile(
            "Compiling entry function '(\\w+)'.*?(\\d+) bytes spill stores, (\\d+) bytes spill loads.*?Used (\\d+) registers",
            Pattern.DOTALL);

    static {
        loadFromFolderOfItsOwn();
    }

    /** What became of one entry. */
    record Entry(int registers, int spilledBytes) {}

    /**
     * @param entries by name
     * @param machineCode for the architecture, as an ELF file
     */
    record Assembled(Map<String, Entry> entries, byte[] machineCode) {
        /** Whether a name is among the symbols of the machine code. */
        boolean names(String symbol) {
            return new String(machineCode, StandardCharsets.ISO_8859_1).contains(symbol);
        }
    }

    private PtxAssembler() {}

    /** jcuda unpacks its library to a fixed name in the folder for temporary files, where another JVM may be doing the same. */
    private static void loadFromFolderOfItsOwn() {
        String temporary = System.getProperty("java.io.tmpdir");
        try {
            Path folder = Files.createTempDirectory("ptx-assembler");
            System.setProperty("java.io.tmpdir", folder.toString());
            JNvPTXCompiler.setExceptionsEnabled(true);
            try (var unpacked = Files.list(folder)) {
                for (Path library : unpacked.toList()) {
                    Files.delete(library); // it is loaded
                }
            }
            Files.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            System.setProperty("java.io.tmpdir", temporary);
        }
    }

    /** @param architecture such as sm_80 */
    static Assembled assemble(String ptx, String architecture) {
        byte[] text = (ptx + '\0').getBytes(StandardCharsets.UTF_8);
        nvPTXCompilerHandle compiler = new nvPTXCompilerHandle();
        JNvPTXCompiler.nvPTXCompilerCreate(compiler, text.length, text);
        try {
            String[] options = {"--gpu-name=" + architecture, "--verbose"};
            JNvPTXCompiler.nvPTXCompilerCompile(compiler, options.length, options);
            long[] size = new long[1];
            JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(compiler, size);
            byte[] log = new byte[Math.toIntExact(size[0]) + 1];
            JNvPTXCompiler.nvPTXCompilerGetInfoLog(compiler, log);
            JNvPTXCompiler.nvPTXCompilerGetCompiledProgramSize(compiler, size);
            byte[] machineCode = new byte[Math.toIntExact(size[0])];
            JNvPTXCompiler.nvPTXCompilerGetCompiledProgram(compiler, machineCode);
            return new Assembled(entries(new String(log, StandardCharsets.UTF_8)), machineCode);
        } finally {
            JNvPTXCompiler.nvPTXCompilerDestroy(compiler);
        }
    }

    private static Map<String, Entry> entries(String log) {
        Map<String, Entry> entries = new LinkedHashMap<>();
        Matcher matcher = ENTRY.matcher(log);
        while (matcher.find()) {
            int spilled = Integer.parseInt(matcher.group(2)) + Integer.parseInt(matcher.group(3));
            entries.put(matcher.group(1), new Entry(Integer.parseInt(matcher.group(4)), spilled));
        }
        return entries;
    }
}
