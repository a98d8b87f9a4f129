package dev.obr.kernels.gpu;

import dev.obr.kernels.ObrException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is to compute, as options write it: {@code auto}, {@code cpu}, {@code cuda}, {@code cuda:1}, {@code emulator}, {@code emulator:sm_90}.
 *
 * @param index of a CUDA device
 * @param capability of an emulated one
 */
public record DeviceName(Kind kind, int index, ComputeCapability capability) {
    /** Where it computes. {@code AUTO} is the first GPU that can, else the CPU. */
    public enum Kind {
        AUTO,
        CPU,
        CUDA,
        EMULATOR
    }

    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");
    private static final List<ComputeCapability> EMULATED =
            List.of(ComputeCapability.SM_80, ComputeCapability.SM_86, ComputeCapability.SM_89, ComputeCapability.SM_90);

    /** @throws ObrException where it is none of these */
    public static DeviceName parse(String name) {
        Matcher cuda = CUDA.matcher(name);
        if (cuda.matches()) {
            int index = cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1));
            return new DeviceName(Kind.CUDA, index, ComputeCapability.SM_80);
        }
        String emulated = name.equals("emulator") ? "emulator:" + EMULATED.getFirst() : name;
        for (ComputeCapability capability : EMULATED) {
            if (emulated.equals("emulator:" + capability)) {
                return new DeviceName(Kind.EMULATOR, 0, capability);
            }
        }
        return switch (name) {
            case "auto" -> new DeviceName(Kind.AUTO, 0, ComputeCapability.SM_80);
            case "cpu" -> new DeviceName(Kind.CPU, 0, ComputeCapability.SM_80);
            default ->
                throw new ObrException(
                        "The option device is '" + name
                                + "', but must be auto, cpu, cuda or cuda:N, emulator or emulator:sm_80, sm_86, sm_89 or sm_90.");
        };
    }

    @Override
    public String toString() {
        return switch (kind) {
            case AUTO -> "auto";
            case CPU -> "cpu";
            case CUDA -> "cuda:" + index;
            case EMULATOR -> "emulator:" + capability;
        };
    }
}
