package dev.obr.kernels.gpu.check;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.check.Verdict.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Runs checks on a device, one kernel after another. */
public final class KernelChecker {
    private final GpuDevice device;
    private final Extent extent;
    private boolean lost;

    public KernelChecker(GpuDevice device, Extent extent) {
        this.device = device;
        this.extent = extent;
    }

    /**
     * Runs all of {@code checks}. A device that fails with a kernel and answers nothing from then on is asked nothing more.
     *
     * @param each gets each verdict when it is there
     */
    public List<Verdict> run(List<KernelCheck> checks, Consumer<Verdict> each) {
        List<Verdict> verdicts = new ArrayList<>();
        for (KernelCheck check : checks) {
            Verdict verdict = lost ? verdict(check, Outcome.NOT_REACHED, 0, Comparison.NONE, "") : run(check);
            verdicts.add(verdict);
            each.accept(verdict);
        }
        return verdicts;
    }

    /** Whether a kernel took the device with it: what it is asked now, it refuses. */
    public boolean lost() {
        return lost;
    }

    private Verdict run(KernelCheck check) {
        Optional<String> whyNot = check.module().whyNotOn(device);
        if (whyNot.isPresent()) {
            return verdict(check, Outcome.NOT_FOR_DEVICE, 0, Comparison.NONE, whyNot.get());
        }
        Comparison all = Comparison.NONE;
        int cases = 0;
        for (KernelCase one : check.cases(extent)) {
            cases++;
            try (DeviceData data = new DeviceData(device)) {
                all = all.and(one.run(data));
            } catch (ObrException e) {
                lost = !answers();
                return verdict(check, Outcome.FAILED, cases, all, one + ": " + e.getMessage());
            }
            if (!all.right()) {
                return verdict(check, Outcome.WRONG, cases, all, one + ": " + all.firstWrong());
            }
        }
        return verdict(check, Outcome.OK, cases, all, "");
    }

    /** Whether the device still does anything. */
    private boolean answers() {
        try {
            device.synchronize();
            return true;
        } catch (ObrException e) {
            return false;
        }
    }

    private static Verdict verdict(KernelCheck check, Outcome outcome, int cases, Comparison all, String says) {
        return new Verdict(check.name(), outcome, cases, all.values(), all.largest(), says);
    }
}
